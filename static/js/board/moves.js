// Arrows between stages: dragged from the point of one stage to another, removed with the key for deleting.
// Whatever is done here sends the form beside the picture, which does the same without scripts.
(() => {
  "use strict";
  let drag = null;

  const at = (map, event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
    return { x: Math.round(point.x), y: Math.round(point.y) };
  };
  const nodeAt = (event) => {
    const found = document.elementFromPoint(event.clientX, event.clientY);
    return found && found.closest("[data-node]");
  };
  const send = (map, from, to, what) => {
    const form = map.closest("section").querySelector("[data-move-form]");
    form.elements.from.value = from;
    form.elements.to.value = to;
    form.querySelector(`button[value="${what}"]`).click();
  };
  const end = () => {
    if (!drag) return;
    drag.line.setAttribute("d", "");
    drag.map.querySelectorAll(".move-node-over").forEach((node) => node.classList.remove("move-node-over"));
    drag = null;
  };

  document.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest("[data-move-handle]");
    if (!handle || event.button !== 0) return;
    event.preventDefault();
    const map = handle.closest("[data-moves]");
    drag = { map, from: handle.closest("[data-node]"), line: map.querySelector("[data-move-drawn]"), x: handle.cx.baseVal.value, y: handle.cy.baseVal.value };
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const to = at(drag.map, event);
    const over = nodeAt(event);
    drag.line.setAttribute("d", `M${drag.x},${drag.y}L${to.x},${to.y}`);
    drag.map.querySelectorAll("[data-node]").forEach((node) => node.classList.toggle("move-node-over", node === over && node !== drag.from));
  });
  document.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const { map, from } = drag;
    const over = nodeAt(event);
    end();
    if (over && over !== from && over.closest("[data-moves]") === map) send(map, from.dataset.node, over.dataset.node, "add");
  });
  document.addEventListener("pointercancel", end);

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return end();
    const arrow = (event.key === "Delete" || event.key === "Backspace") && event.target.closest("[data-moves] .move");
    if (!arrow) return;
    event.preventDefault();
    const [from, to] = arrow.id.slice("move-".length).split("--");
    send(arrow.closest("[data-moves]"), from, to, "remove");
  });
})();
