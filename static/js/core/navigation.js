// The sidebar on a phone: the menu button shows and hides it.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-toggle-nav]");
  if (!button) return;
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  document.getElementById(button.getAttribute("aria-controls")).classList.toggle("open", open);
});

// Of more tabs than fit, the one that is shown is brought into sight; the page itself does not move.
(function () {
  "use strict";
  const reveal = () => document.querySelectorAll(".tabs > [aria-current]").forEach((tab) => {
    const strip = tab.parentElement;
    const over = tab.getBoundingClientRect().right - strip.getBoundingClientRect().right;
    if (over > 0) strip.scrollLeft += over;
  });
  document.addEventListener("DOMContentLoaded", reveal);
  document.addEventListener("htmx:load", reveal);
})();
