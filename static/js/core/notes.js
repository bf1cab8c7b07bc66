// Messages in the corner, above everything, an open dialog too. Good news goes away by itself unless it is pointed at or focused, all can be dismissed.
(function () {
  "use strict";
  const SHOWN_FOR = 7000;

  function letPass(note) {
    let timer = null;
    const start = () => { timer = window.setTimeout(() => note.remove(), SHOWN_FOR); };
    const stop = () => window.clearTimeout(timer);
    note.addEventListener("mouseenter", stop);
    note.addEventListener("mouseleave", start);
    note.addEventListener("focusin", stop);
    note.addEventListener("focusout", start);
    start();
  }

  // A popover shown last lies above a dialog that was opened before it.
  function raise(notes) {
    if (notes.matches(":popover-open")) notes.hidePopover();
    notes.showPopover();
  }

  function watch(notes) {
    if ("popover" in notes) {
      notes.popover = "manual";
      raise(notes);
    }
    notes.querySelectorAll("[data-passing]").forEach(letPass);
    new MutationObserver((changes) => {
      const added = changes.some((change) => change.addedNodes.length > 0);
      if (added && notes.popover) raise(notes);
      for (const change of changes) {
        for (const node of change.addedNodes) {
          if (node.nodeType === Node.ELEMENT_NODE && node.matches("[data-passing]")) letPass(node);
        }
      }
    }).observe(notes, { childList: true });
  }

  function tellOffline() {
    const notes = document.getElementById("fw-notes");
    const text = document.getElementById("fw-note-offline");
    if (notes && text) notes.append(text.content.cloneNode(true));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-dismiss-note]");
    if (button) button.closest(".note").remove();
  });
  document.addEventListener("htmx:sendError", tellOffline);
  document.addEventListener("htmx:timeout", tellOffline);
  document.addEventListener("htmx:responseError", (event) => {
    if ([502, 503, 504].includes(event.detail.xhr.status)) tellOffline();
  });
  const notes = document.getElementById("fw-notes");
  if (notes) watch(notes);
})();
