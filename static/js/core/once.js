// A form that writes is sent once at a time: while its request runs, its buttons wait and a second click does
// nothing. (What is sent again all the same is told apart by the form's key, see blueprints/once.py.)
(function () {
  "use strict";
  const BUSY = "data-sending";
  const buttons = (form) => [...form.elements].filter((one) => one.type === "submit");

  function hold(form) {
    form.setAttribute(BUSY, "");
    form.setAttribute("aria-busy", "true");
    // Not disabled: a disabled button loses the focus, and what it says would not be sent.
    buttons(form).forEach((one) => one.setAttribute("aria-disabled", "true"));
  }
  function release(form) {
    form.removeAttribute(BUSY);
    form.removeAttribute("aria-busy");
    buttons(form).forEach((one) => one.removeAttribute("aria-disabled"));
  }
  const writes = (form) => form.matches("form") && form.getAttribute("method")?.toLowerCase() === "post";
  const isSubmit = (detail) => detail.requestConfig.triggeringEvent?.type === "submit";

  document.addEventListener("submit", (event) => {
    if (!event.target.hasAttribute(BUSY)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  document.addEventListener("submit", (event) => {
    const form = event.target;
    // htmx prevents the browser's own submission of what it sends itself.
    if (event.defaultPrevented || !writes(form)) return;
    hold(form);
    // The answer may be a file: then the page stays, and nothing tells that it came.
    setTimeout(release, 5000, form);
  });
  document.addEventListener("htmx:beforeSend", (event) => {
    if (writes(event.detail.elt) && isSubmit(event.detail)) hold(event.detail.elt);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (writes(event.detail.elt) && isSubmit(event.detail)) release(event.detail.elt);
  });
  // A page that comes back from the browser's memory is as it was left.
  window.addEventListener("pageshow", () => document.querySelectorAll(`form[${BUSY}]`).forEach(release));
})();
