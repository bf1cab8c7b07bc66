// Search as you type for references: an input, a hidden id, a hidden name, and a listbox that htmx fills.
// Choosing an option (click, Enter) writes all three and tells the form by a change event; typing something else
// leaves the decision to the server, as without JavaScript.
(function () {
  "use strict";
  const part = (box, name) => box.querySelector(`[data-typeahead-${name}]`);
  const options = (box) => Array.from(part(box, "found").querySelectorAll('[role="option"][data-id]'));

  function show(box, visible) {
    part(box, "found").hidden = !visible;
    const input = part(box, "text");
    input.setAttribute("aria-expanded", String(visible));
    if (!visible) input.removeAttribute("aria-activedescendant");
  }

  function mark(box, option) {
    options(box).forEach((each, index) => {
      each.id = each.id || `${part(box, "found").id}-${index}`;
      each.setAttribute("aria-selected", String(each === option));
    });
    if (option) {
      part(box, "text").setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    }
  }

  function choose(box, option) {
    part(box, "id").value = option.dataset.id;
    part(box, "shown").value = option.dataset.name;
    const input = part(box, "text");
    input.value = option.dataset.name;
    show(box, false);
    input.focus();
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.target.matches("[data-typeahead-text]")) event.detail.parameters = { q: event.target.value };
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    const found = event.detail.target;
    if (!found.matches("[data-typeahead-found]")) return;
    const box = found.closest("[data-typeahead]");
    if (document.activeElement === part(box, "text")) show(box, part(box, "text").value.trim() !== "");
  });

  document.addEventListener("keydown", (event) => {
    if (!event.target.matches("[data-typeahead-text]")) return;
    const box = event.target.closest("[data-typeahead]");
    if (part(box, "found").hidden) return;
    const all = options(box);
    const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown") mark(box, all[Math.min(at + 1, all.length - 1)]);
    else if (event.key === "ArrowUp") mark(box, all[Math.max(at - 1, 0)]);
    else if (event.key === "Enter" && at >= 0) choose(box, all[at]);
    else if (event.key === "Escape") show(box, false);
    else return;
    event.preventDefault();
  });

  // On mousedown, because the input loses the focus before a click arrives.
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest('[data-typeahead-found] [data-id]');
    if (!option) return;
    event.preventDefault();
    choose(option.closest("[data-typeahead]"), option);
  });

  document.addEventListener("focusout", (event) => {
    if (event.target.matches("[data-typeahead-text]")) show(event.target.closest("[data-typeahead]"), false);
  });
})();
