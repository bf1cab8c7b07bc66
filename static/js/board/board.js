// The board: cards are dragged with mouse or finger, or moved by the menu of each card. Every drop is a POST to
// the one address that moves; what comes back (fragments, dialog, message) is the server's business. A card
// whose move did not happen returns to where it came from.
(function () {
  "use strict";
  let flight = null;
  let waiting = null;

  const dialog = () => document.getElementById("fw-dialog");
  const board = () => document.getElementById("board");
  const source = (root) => root.closest("#board").dataset;

  function land() {
    if (!flight) return;
    const { card, list, next } = flight;
    flight = null;
    // After a move the server has replaced the card: then there is nothing to bring back.
    if (card.isConnected) list.insertBefore(card, next && next.parentNode === list ? next : list.firstChild);
  }

  // A filter whose answer came while a card was in the hand asks again.
  function lookAgain() {
    const filter = waiting;
    waiting = null;
    if (filter) window.htmx.trigger(filter, "submit");
  }

  function drop(event) {
    const { item: card, from, to } = event;
    if (from === to) {
      lookAgain();
      return;
    }
    flight = { card, list: from, next: flight ? flight.next : null };
    const data = source(to);
    // Into another lane of the same stage only the field of the lanes changes; otherwise it goes with the move.
    const changes = from.dataset.lane === to.dataset.lane ? {} : { lane: to.dataset.lane, left: from.dataset.lane };
    const act = from.dataset.stage === to.dataset.stage && "lane" in changes ? "lane" : `move/${to.dataset.stage}`;
    card.classList.add("bcard-sent");
    window.htmx.ajax("POST", `${data.moves}${card.id.slice(2)}/${act}`, {
      source: card,
      target: "#fw-dialog",
      swap: "innerHTML",
      values: { revision: card.dataset.r, board: data.mark, ...changes },
    });
  }

  function arm(list) {
    if (list.sortable) return;
    list.sortable = window.Sortable.create(list, {
      group: { name: "cards", put: () => Boolean(list.dataset.stage) },
      draggable: ".bcard",
      sort: false,
      animation: 120,
      delay: 220,
      delayOnTouchOnly: true,
      touchStartThreshold: 6,
      forceFallback: true,
      fallbackOnBody: true,
      fallbackTolerance: 5,
      ghostClass: "bcard-place",
      fallbackClass: "bcard-flying",
      chosenClass: "bcard-chosen",
      scroll: true,
      bubbleScroll: true,
      scrollSensitivity: 80,
      scrollSpeed: 14,
      onStart: (event) => {
        flight = { next: event.item.nextElementSibling };
        document.body.classList.add("board-dragging");
      },
      onEnd: (event) => {
        document.body.classList.remove("board-dragging");
        drop(event);
      },
    });
  }

  function armAll(root) {
    if (root.matches && root.matches(".bcards")) arm(root);
    if (root.querySelectorAll) root.querySelectorAll(".bcards").forEach(arm);
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest(".bcard-move");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    window.htmx.ajax("GET", link.href, { source: link, target: "#fw-dialog", swap: "innerHTML" });
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const card = event.target.closest(".bcard-sent");
    if (card) card.classList.remove("bcard-sent");
    if (flight && flight.card && !dialog().open) land();
    if (card) lookAgain();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target !== board() || !document.body.classList.contains("board-dragging")) return;
    event.detail.shouldSwap = false;
    waiting = event.detail.requestConfig.elt;
  });
  document.addEventListener("close", (event) => { if (event.target === dialog()) land(); }, true);

  // The card that moved gets the focus at its new place, so that a keyboard goes on from there.
  ["moved", "added"].forEach((name) => document.addEventListener(name, (event) => {
    const id = `c-${event.detail.record}`;
    window.setTimeout(() => {
      const card = document.getElementById(id);
      const link = card && card.querySelector(".bcard-move");
      if (!link) return;
      card.classList.add("bcard-new");
      link.focus({ preventScroll: true });
      card.scrollIntoView({ block: "nearest", inline: "nearest" });
    }, 30);
  }));

  window.htmx.onLoad(armAll);
  if (board()) armAll(document);
})();
