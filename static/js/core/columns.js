// Columns of a list: widths by pointer and by Shift and arrows, kept on the server; the order of the menu by dragging
// and by its buttons. Widths are set through the CSSOM, for the page allows no style attributes.
(function () {
  "use strict";
  const LEAST = 60, MOST = 900, STEP = 16, PLAIN = 160;
  const within = (width) => Math.round(Math.max(LEAST, Math.min(MOST, width)));
  let timer = 0, waiting = null;

  function size(table) {
    const heads = [...table.querySelectorAll("thead th")];
    if (!heads.some((head) => head.dataset.width)) return;
    table.classList.add("is-sized");
    let all = 0;
    for (const head of heads) {
      const width = head.dataset.column ? Number(head.dataset.width || PLAIN) : 48;
      head.style.width = `${width}px`;
      all += width;
    }
    table.style.width = `${all}px`;
  }

  // Until one width is chosen the browser decides: the others are then kept as they stood.
  function freeze(table) {
    if (table.classList.contains("is-sized")) return;
    for (const head of table.querySelectorAll("thead th[data-column]")) head.dataset.width = within(head.offsetWidth);
  }
  function resize(head, width) {
    const table = head.closest("table");
    freeze(table);
    head.dataset.width = within(width);
    size(table);
    const grip = head.querySelector(".col-grip");
    if (grip) grip.setAttribute("aria-valuenow", head.dataset.width);
  }
  function chosen(table) {
    const all = [...table.querySelectorAll("thead th[data-width]")];
    return { column: all.map((one) => one.dataset.column), width: all.map((one) => one.dataset.width), view: table.dataset.view };
  }
  function keep(head) {
    const table = head.closest("table");
    clearTimeout(timer);
    waiting = table;
    timer = setTimeout(() => {
      waiting = null;
      window.htmx.ajax("POST", table.dataset.widths, { source: table, swap: "none", values: chosen(table) });
    }, 300);
  }
  // Whoever goes on at once leaves before the timer: what waits is sent by the browser behind the page.
  window.addEventListener("pagehide", () => {
    if (!waiting) return;
    clearTimeout(timer);
    const form = new URLSearchParams(), table = waiting;
    for (const [name, value] of Object.entries(chosen(table))) [value].flat().forEach((one) => form.append(name, one));
    const token = document.querySelector('meta[name="csrf-token"]');
    fetch(table.dataset.widths, { method: "POST", body: form, keepalive: true, redirect: "manual", headers: { "X-CSRFToken": token ? token.content : "" } });
    waiting = null;
  });

  function arm(table) {
    size(table);
    for (const head of table.querySelectorAll("thead th[data-column]")) {
      if (head.querySelector(".col-grip")) continue;
      const grip = document.createElement("span");
      grip.className = "col-grip";
      grip.setAttribute("aria-hidden", "true");
      head.append(grip);
      grip.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        grip.setPointerCapture(event.pointerId);
        const from = event.clientX, width = head.offsetWidth;
        const drag = (move) => resize(head, width + move.clientX - from);
        grip.addEventListener("pointermove", drag);
        // Also when the system takes the pointer away (a call, a gesture): what was dragged so far stays.
        grip.addEventListener("lostpointercapture", () => { grip.removeEventListener("pointermove", drag); keep(head); }, { once: true });
      });
    }
  }
  document.addEventListener("keydown", (event) => {
    if (!event.shiftKey || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const head = event.target.closest("table[data-widths] thead th[data-column]");
    if (!head) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    resize(head, head.offsetWidth + (event.key === "ArrowRight" ? STEP : -STEP));
    keep(head);
  }, true);

  // The menu: its buttons send the form; here they only move their line.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("form[data-columns] :is([name=up], [name=down])");
    if (!button) return;
    event.preventDefault();
    const line = button.closest("[data-choice]");
    if (button.name === "up" && line.previousElementSibling) line.previousElementSibling.before(line);
    if (button.name === "down" && line.nextElementSibling) line.nextElementSibling.after(line);
    button.focus();
  });
  let dragged = null;
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest ? event.target.closest("[data-choice]") : null;
    if (dragged) event.dataTransfer.effectAllowed = "move";
  });
  document.addEventListener("dragover", (event) => {
    const over = dragged && event.target.closest("[data-choice]");
    if (!over || over === dragged) return;
    event.preventDefault();
    const { top, height } = over.getBoundingClientRect();
    if (event.clientY < top + height / 2) over.before(dragged); else over.after(dragged);
  });
  document.addEventListener("dragend", () => { dragged = null; });

  function armAll() {
    document.querySelectorAll("table[data-widths]").forEach(arm);
    document.querySelectorAll("[data-choice]").forEach((line) => { line.draggable = true; });
  }
  document.addEventListener("DOMContentLoaded", armAll);
  document.addEventListener("htmx:load", armAll);
})();
