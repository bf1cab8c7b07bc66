// A list as an ARIA grid: one stop for Tab, arrows from cell to cell, Enter opens or changes, Space ticks. A cell that
// may be changed gets a pencil, and the field's own form in its place; Escape puts back what stood there.
(function () {
  "use strict";
  const CELLS = ":scope > th, :scope > td";
  const PAGE = 10;
  let edited = null; // {cell, kept}: the cell that is being changed, and what stood in it
  const pencil = document.createElement("button");
  pencil.type = "button";
  pencil.className = "cell-pencil";
  pencil.tabIndex = -1;

  const grids = () => document.querySelectorAll("table[data-grid]");
  const rowsOf = (grid) => [...grid.rows].filter((row) => !row.parentElement.hidden);
  const cellsOf = (row) => [...row.querySelectorAll(CELLS)];

  function arm(grid) {
    grid.setAttribute("role", "grid");
    grid.setAttribute("aria-readonly", "true");
    let stop = null;
    for (const row of rowsOf(grid)) {
      for (const cell of cellsOf(row)) {
        if (cell.tabIndex === 0) stop = stop || cell;
        if (!cell.hasAttribute("tabindex")) cell.tabIndex = -1;
        if (cell.dataset.field) cell.setAttribute("aria-readonly", "false");
        cell.querySelectorAll("a, input, button").forEach((inner) => {
          if (!inner.closest("[data-cell-editor]")) inner.tabIndex = -1;
        });
      }
    }
    const first = stop || grid.querySelector("tbody td:not(.tick)") || grid.querySelector("th");
    if (first) first.tabIndex = 0;
  }
  const armAll = () => grids().forEach(arm);

  function go(cell) {
    if (!cell) return;
    const grid = cell.closest("table");
    grid.querySelectorAll('th[tabindex="0"], td[tabindex="0"]').forEach((one) => { one.tabIndex = -1; });
    cell.tabIndex = 0;
    cell.focus();
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function placeOf(cell) {
    const row = cell.parentElement, all = rowsOf(cell.closest("table"));
    return { all, down: all.indexOf(row), across: cellsOf(row).indexOf(cell) };
  }
  function at(all, down, across) {
    const row = all[Math.max(0, Math.min(down, all.length - 1))];
    const cells = cellsOf(row);
    return cells[Math.max(0, Math.min(across, cells.length - 1))];
  }

  function open(cell) {
    const link = cell.querySelector("a[href]");
    if (cell.dataset.field && !cell.classList.contains("title")) return edit(cell);
    if (link) return link.click();
    const row = cell.parentElement;
    if (row.dataset.record) window.location.assign(row.dataset.record);
  }

  function tick(cell) {
    const box = cell.parentElement.querySelector('td.tick input, th.tick input');
    if (!box || box.disabled) return;
    box.checked = !box.checked;
    box.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function edit(cell) {
    if (edited) restore();
    pencil.remove();
    const row = cell.parentElement, ticks = row.querySelector("td.tick") ? "&ticks=1" : "";
    edited = { cell, kept: [...cell.childNodes] };
    const list = encodeURIComponent(cell.closest("table").dataset.list);
    window.htmx.ajax("GET", `${row.dataset.record}/cell/${cell.dataset.field}?list=${list}${ticks}`, { target: cell, swap: "innerHTML" });
  }
  function restore() {
    const { cell, kept } = edited;
    edited = null;
    cell.classList.remove("is-edited");
    cell.replaceChildren(...kept);
    go(cell);
  }

  const MOVES = {
    ArrowLeft: (p) => at(p.all, p.down, p.across - 1),
    ArrowRight: (p) => at(p.all, p.down, p.across + 1),
    ArrowUp: (p) => at(p.all, p.down - 1, p.across),
    ArrowDown: (p) => at(p.all, p.down + 1, p.across),
    PageUp: (p) => at(p.all, Math.max(p.down ? 1 : 0, p.down - PAGE), p.across),
    PageDown: (p) => at(p.all, p.down + PAGE, p.across),
    Home: (p, event) => at(p.all, event.ctrlKey ? 0 : p.down, 0),
    End: (p, event) => at(p.all, event.ctrlKey ? Infinity : p.down, Infinity),
  };

  document.addEventListener("keydown", (event) => {
    const editor = event.target.closest("[data-cell-editor]");
    if (editor && edited && event.key === "Escape" && !event.defaultPrevented) {
      event.preventDefault();
      return restore();
    }
    const cell = event.target.closest("table[data-grid] :is(th, td)");
    if (!cell || editor || event.altKey || event.metaKey) return;
    if (edited && edited.cell === cell && event.key === "Escape") return restore();
    if (event.target !== cell) {
      // Whoever clicked a link or a box in a cell goes on from that cell, but the thing keeps its own keys.
      if (event.key === " " || event.key === "Enter" || event.target.matches("input:not([type=checkbox])")) return;
    }
    if (event.key in MOVES) {
      event.preventDefault();
      return go(MOVES[event.key](placeOf(cell), event));
    }
    if (event.key === "Enter" && !event.ctrlKey) { event.preventDefault(); open(cell); }
    if (event.key === "F2" && cell.dataset.field) { event.preventDefault(); edit(cell); }
    if (event.key === " ") { event.preventDefault(); tick(cell); }
  });

  document.addEventListener("dblclick", (event) => {
    const cell = event.target.closest("table[data-grid] td[data-field]");
    if (cell && !event.target.closest("a, [data-cell-editor]")) edit(cell);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest(".cell-pencil")) return edit(pencil.parentElement);
    if (edited && event.target.closest("[data-cell-cancel]")) { event.preventDefault(); return restore(); }
    const cell = event.target.closest("table[data-grid] :is(th, td)");
    if (cell && !event.target.closest("a, input, button, label, [data-cell-editor]")) go(cell);
  });

  // The pencil stands in the cell under the pointer or with the focus.
  function offer(event) {
    const cell = event.target.closest && event.target.closest("table[data-grid] td[data-field]");
    if (!cell || (edited && edited.cell === cell) || pencil.parentElement === cell) return;
    const grid = cell.closest("table");
    pencil.setAttribute("aria-label", `${grid.dataset.change}: ${cell.dataset.label}`);
    pencil.replaceChildren(grid.querySelector("template").content.cloneNode(true));
    cell.append(pencil);
  }
  document.addEventListener("mouseover", offer);
  document.addEventListener("focusin", offer);

  function focusEditor(cell) {
    const first = cell.querySelector('[data-cell-editor] :is([aria-invalid="true"], input:not([type="hidden"]), select, textarea), [data-cell-editor] [data-cell-cancel]');
    if (!first) return;
    first.focus();
    if (first.select && first.type !== "checkbox" && first.type !== "radio") first.select();
    cell.querySelector("[data-cell-editor]").scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  document.addEventListener("htmx:afterSettle", () => {
    if (!edited || !edited.cell.isConnected) return;
    const hasEditor = edited.cell.querySelector("[data-cell-editor]");
    edited.cell.classList.toggle("is-edited", Boolean(hasEditor));
    if (hasEditor) focusEditor(edited.cell);
  });
  // The row comes back whole: what was ticked stays ticked, and the cell has the focus again.
  let ticked = false;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const row = event.detail.target;
    if (row && row.matches && row.matches("tr[data-record]")) {
      const box = row.querySelector("td.tick input");
      ticked = Boolean(box && box.checked);
      edited = null;
    }
  });
  document.addEventListener("cellSaved", (event) => {
    const row = document.getElementById(event.detail.row);
    if (!row) return;
    const box = row.querySelector("td.tick input");
    if (box && ticked) { box.checked = true; box.dispatchEvent(new Event("change", { bubbles: true })); }
    arm(row.closest("table"));
    go(row.querySelector(`[data-field="${CSS.escape(event.detail.field)}"]`) || cellsOf(row)[0]);
  });
  document.addEventListener("DOMContentLoaded", armAll);
  document.addEventListener("htmx:load", armAll);
})();
