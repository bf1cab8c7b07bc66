// Puts the focus where an answer asks for it: the error summary of a form that was refused.
(function () {
  "use strict";
  function focusIn(root) {
    const target = root.querySelector("[data-focus]");
    if (target) target.focus();
  }
  focusIn(document);
  document.addEventListener("htmx:afterSettle", (event) => focusIn(event.detail.elt.parentElement || document));
})();
