// The sidebar on a phone: the menu button shows and hides it.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-toggle-nav]");
  if (!button) return;
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  document.getElementById(button.getAttribute("aria-controls")).classList.toggle("open", open);
});
