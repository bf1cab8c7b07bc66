// The calendar: records are dragged to another day with mouse or finger; the keyboard has the link of each entry.
// A drop is a POST that saves the day; an entry whose save did not happen returns to where it came from.
(function () {
  "use strict";
  let flight = null;
  const calendar = () => document.getElementById("calendar");

  function land() {
    if (!flight) return;
    const { entry, list, next } = flight;
    flight = null;
    if (entry.isConnected) list.insertBefore(entry, next && next.parentNode === list ? next : list.firstChild);
  }

  function drop(event) {
    const { item: entry, from, to } = event;
    if (from === to) return;
    flight = { entry, list: from, next: flight ? flight.next : null };
    const { moves, page } = calendar().dataset;
    entry.classList.add("bcard-sent");
    window.htmx.ajax("POST", `${moves}${entry.id.slice(2)}/day`, {
      source: entry,
      target: "#calendar",
      swap: "outerHTML",
      values: { ...JSON.parse(page), revision: entry.dataset.r, day: to.dataset.day },
    });
  }

  function arm(list) {
    if (list.sortable) return;
    list.sortable = window.Sortable.create(list, {
      group: "days",
      draggable: ".cal-entry",
      sort: false,
      animation: 120,
      delay: 220,
      delayOnTouchOnly: true,
      forceFallback: true,
      fallbackOnBody: true,
      fallbackTolerance: 5,
      ghostClass: "bcard-place",
      fallbackClass: "cal-flying",
      onStart: (event) => {
        flight = { next: event.item.nextElementSibling };
        document.body.classList.add("cal-dragging");
      },
      onEnd: (event) => {
        document.body.classList.remove("cal-dragging");
        drop(event);
      },
    });
  }

  const armAll = () => {
    if (calendar() && calendar().dataset.moves) calendar().querySelectorAll(".cal-entries").forEach(arm);
  };

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const entry = event.target.closest(".cal-entry.bcard-sent");
    if (!entry) return;
    entry.classList.remove("bcard-sent");
    land();
  });
  // What dragging left on an entry would be copied to its successor as an inline style, which no page may have.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target !== calendar()) return;
    calendar().querySelectorAll("[style]").forEach((element) => element.removeAttribute("style"));
  });
  // The entry has the focus at its new place, so that a keyboard goes on from there.
  document.addEventListener("placed", (event) => {
    const id = `e-${event.detail.record}`;
    window.setTimeout(() => {
      const entry = document.getElementById(id);
      const link = entry && entry.querySelector(".cal-move");
      if (link) link.focus({ preventScroll: true });
    }, 30);
  });
  document.addEventListener("htmx:load", armAll);
  armAll();
})();
