// Rows to tick: one box ticks all of its table, and what can be done with the ticked waits for the first.
(function () {
  "use strict";
  const boxes = (form) => [...document.querySelectorAll(`input[type="checkbox"][form="${form.id}"]`)];

  function tell(form) {
    const all = boxes(form);
    const ticked = all.filter((box) => box.checked).length;
    const every = form.querySelector("[data-every]");
    form.hidden = ticked === 0 && !(every && every.checked);
    const head = document.querySelector("[data-tick-all]");
    if (head) {
      head.checked = ticked > 0 && ticked === all.length;
      head.indeterminate = ticked > 0 && ticked < all.length;
    }
  }

  const tellAll = () => document.querySelectorAll("form[data-ticked]").forEach(tell);

  document.addEventListener("change", (event) => {
    const form = document.querySelector("form[data-ticked]");
    if (!form) return;
    if (event.target.matches("[data-tick-all]")) {
      boxes(form).forEach((box) => { box.checked = event.target.checked; });
    } else if (event.target.matches("[data-every]")) {
      // All that match: those of this page are among them, and nothing is left out by unticking.
      boxes(form).forEach((box) => { box.checked = event.target.checked; box.disabled = event.target.checked; });
    } else if (event.target.getAttribute("form") !== form.id) {
      return;
    }
    tell(form);
  });
  document.addEventListener("DOMContentLoaded", tellAll);
  document.addEventListener("htmx:load", tellAll);
  // Coming back, a browser ticks what was ticked.
  window.addEventListener("pageshow", tellAll);
})();
