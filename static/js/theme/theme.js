// Follows the device's light or dark setting when the person chose "auto". Runs before the first paint.
(function () {
  "use strict";
  const root = document.documentElement;
  root.classList.remove("no-js");
  if (root.dataset.theme !== "auto") return;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => root.setAttribute("data-bs-theme", dark.matches ? "dark" : "light");
  follow();
  dark.addEventListener("change", follow);
})();
