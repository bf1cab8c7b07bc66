// Groups of a list: the first unfolding brings the rows, later ones only show or hide them.
(function () {
  "use strict";
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-fold]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const body = document.getElementById(link.getAttribute("aria-controls"));
    const opens = link.getAttribute("aria-expanded") !== "true";
    link.setAttribute("aria-expanded", String(opens));
    if (opens && !body.rows.length) window.htmx.ajax("GET", link.dataset.fold, { target: body, swap: "outerHTML" });
    else body.hidden = !opens;
  });
})();
