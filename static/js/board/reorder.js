// A list in a form whose items are put into order by dragging their handle; the form is sent at once.
(() => {
  const prepare = (root) => {
    root.querySelectorAll("[data-reorder]").forEach((list) => {
      if (list.dataset.ready) return;
      list.dataset.ready = "yes";
      window.Sortable.create(list, {
        handle: "[data-handle]",
        animation: 150,
        onEnd: (move) => {
          if (move.oldIndex !== move.newIndex) list.closest("form").requestSubmit();
        },
      });
    });
  };
  document.addEventListener("htmx:load", (event) => prepare(event.detail.elt));
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => prepare(document));
  else prepare(document);
})();
