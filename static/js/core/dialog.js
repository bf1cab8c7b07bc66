// The page's one dialog: opens when htmx puts content into #fw-dialog, closes on [data-close-dialog], on a
// click outside, on Escape (the browser's own), when an answer says HX-Trigger: closeDialog, and when a form
// with data-leaves-dialog is sent.
(function () {
  "use strict";
  const dialog = () => document.getElementById("fw-dialog");

  // Whoever opened it wants to fill it in or to choose, not to close it again.
  function focusFirst(box) {
    const first = box.querySelector('[data-focus], .dialog-body :is(a[href], button:not([tabindex="-1"]), input:not([type="hidden"]), select, textarea)');
    if (first) first.focus();
  }

  document.addEventListener("htmx:afterSwap", (event) => {
    const box = dialog();
    if (!box || event.detail.target !== box) return;
    const filled = box.childElementCount > 0;
    if (filled && !box.open) box.showModal();
    if (filled) focusFirst(box);
    if (!filled && box.open) box.close();
  });

  document.addEventListener("click", (event) => {
    const box = dialog();
    if (!box || !box.open) return;
    const closes = event.target.closest("[data-close-dialog]");
    if (closes || event.target === box) {
      event.preventDefault();
      box.close();
    }
  });

  // The answer to such a form may be a file, which leaves the page as it is: the dialog has done its part. Not
  // at once, for the form must still be there when the browser sends it.
  document.addEventListener("submit", (event) => {
    const box = dialog();
    if (box && box.open && event.target.matches("[data-leaves-dialog]")) setTimeout(() => box.close(), 0);
  });

  document.addEventListener("closeDialog", () => {
    const box = dialog();
    if (!box || !box.open) return;
    box.close();
    // At once, or a swap that follows would take what still stands here for new content and open it again.
    box.replaceChildren();
  });

  // "close" does not bubble, so it is caught on its way down.
  document.addEventListener("close", (event) => {
    if (event.target === dialog()) event.target.replaceChildren();
  }, true);
})();
