// Messages in the corner: good news goes away by itself unless it is pointed at or focused, all can be dismissed.
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

  function watch(notes) {
    notes.querySelectorAll("[data-passing]").forEach(letPass);
    new MutationObserver((changes) => {
      for (const change of changes) {
        for (const node of change.addedNodes) {
          if (node.nodeType === Node.ELEMENT_NODE && node.matches("[data-passing]")) letPass(node);
        }
      }
    }).observe(notes, { childList: true });
  }

  function tellOffline() {
    const notes = document.getElementById("notes");
    const text = document.getElementById("note-offline");
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
  const notes = document.getElementById("notes");
  if (notes) watch(notes);
})();
