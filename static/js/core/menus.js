// Menus are <details class="menu">: a click outside or Escape closes them.
(function () {
  "use strict";
  const open = () => document.querySelectorAll("details.menu[open], details.hint[open]");

  document.addEventListener("click", (event) => {
    open().forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    open().forEach((menu) => {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });
})();
