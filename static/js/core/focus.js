// Puts the focus where an answer asks for it: the error summary of a form that was refused. Otherwise a link or
// button that an answer replaced keeps it: htmx knows it again by its id, this by what it says and its place.
(function () {
  "use strict";
  let held = null;
  const said = (one) => one.getAttribute("aria-label") || one.textContent.trim();
  const alike = (root, tag, text) => [...root.querySelectorAll(tag)].filter((one) => said(one) === text);

  function focusIn(root) {
    const target = root.querySelector("[data-focus]");
    if (target) target.focus();
  }
  function giveBack() {
    const lost = held;
    held = null;
    if (!lost || document.activeElement !== document.body) return;
    const found = alike(document, lost.tag, lost.text);
    const again = found[Math.min(lost.place, found.length - 1)];
    if (again) again.focus({ preventScroll: true });
  }
  focusIn(document);
  document.addEventListener("htmx:beforeSwap", (event) => {
    const one = document.activeElement;
    if (!one || one.id || !one.matches("a, button") || !event.detail.target.contains(one)) return;
    const [tag, text] = [one.localName, said(one)];
    held = { tag, text, place: alike(document, tag, text).indexOf(one) };
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    focusIn(event.detail.elt.parentElement || document);
    giveBack();
  });
})();
