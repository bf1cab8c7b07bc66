// The form designer: fields and sections are put into order by dragging, and types are dragged in from the
// palette. Every drop is sent at once; the same things are done by the buttons and links of the page.
(() => {
  "use strict";
  const send = (list) => list.closest("form").requestSubmit();
  const moved = (move) => { if (move.from !== move.to || move.oldIndex !== move.newIndex) send(move.to); };

  // A type that was dropped is no field yet: it needs a name, which the panel asks for.
  function dropped(drop) {
    if (!drop.item.dataset.type) return moved(drop);
    const list = drop.to;
    const at = Array.from(list.children).filter((one) => one.dataset.field || one === drop.item).indexOf(drop.item);
    const address = list.closest("[data-designer]").dataset.designer;
    const into = list.closest("[data-section]").dataset.section;
    drop.item.remove();
    window.htmx.ajax("GET", `${address}add=${drop.item.dataset.type}&into=${into}&at=${at}`, { source: "#designer", target: "#designer", swap: "morph:outerHTML" });
  }

  const once = (root, name, make) => {
    const all = [...(root.matches && root.matches(name) ? [root] : []), ...root.querySelectorAll(name)];
    all.forEach((list) => {
      if (list.fwSortable) return;
      list.fwSortable = window.Sortable.create(list, { animation: 150, ...make(list) });
    });
  };

  function prepare(root) {
    once(root, "[data-fields]", () => ({ group: "fields", handle: "[data-handle]", draggable: "[data-field], [data-type]", onAdd: dropped, onUpdate: moved }));
    once(root, "[data-sections]", () => ({ handle: "[data-handle-section]", draggable: "[data-section]", onUpdate: moved }));
    once(root, "[data-palette]", () => ({ group: { name: "fields", pull: "clone", put: false }, sort: false, draggable: "[data-type]" }));
    once(root, "[data-options]", () => ({ handle: "[data-handle]", onUpdate: moved }));
  }

  // Alt with an arrow moves the field or section that has the focus, as its buttons do. A key that repeats is
  // quicker than the answers: what is pressed meanwhile waits for the page on which it means something.
  const waiting = [];
  let sent = false;

  function step() {
    while (!sent && waiting.length) {
      const { id, value } = waiting.shift();
      const place = document.getElementById(id);
      const button = place && place.querySelector(`button[name="step"][value="${value}"]`);
      if (button && !button.disabled) {
        sent = true;
        button.click();
      }
    }
  }

  document.addEventListener("keydown", (event) => {
    const way = { ArrowUp: "up", ArrowDown: "down" }[event.key];
    const place = event.altKey && way && event.target.closest("[data-canvas] [data-field], [data-canvas] [data-section]");
    if (!place) return;
    event.preventDefault();
    const of = place.dataset.field ? `field:${place.dataset.field}` : `section:${place.dataset.section}`;
    waiting.push({ id: place.id, value: `${way}:${of}` });
    step();
  });
  const isStep = ({ detail }) => detail.requestConfig && detail.requestConfig.elt.matches("[data-canvas]");
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!isStep(event)) return;
    sent = false;
    step();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!isStep(event) || event.detail.successful) return; // a page that came is settled first
    waiting.length = 0;
    sent = false;
  });

  // Whoever chose a type or a field wants to write its name.
  document.addEventListener("htmx:afterSettle", (event) => {
    const by = event.detail.requestConfig;
    if (!by || by.verb !== "get" || !by.path.includes("add=")) return;
    const name = document.querySelector("#add-field input[name^='label-']");
    if (name) name.focus();
  });

  document.addEventListener("htmx:load", (event) => prepare(event.detail.elt));
  document.addEventListener("htmx:afterSettle", () => { const box = document.getElementById("designer"); if (box) prepare(box); });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => prepare(document));
  else prepare(document);
})();
