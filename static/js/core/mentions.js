// Colleagues to choose from once an @ is typed in a note. The text alone says whom it mentions, so without
// JavaScript the name is simply typed.
(function () {
  "use strict";
  const STARTED = /(?:^|[^\p{L}\p{N}])@([^@\n]{0,30})$/u;
  const boxOf = (element) => element.closest("[data-mentions]");
  const listOf = (box) => box.querySelector("[data-mentions-found]");
  const textOf = (box) => box.querySelector("textarea");
  const options = (box) => Array.from(listOf(box).querySelectorAll('[role="option"][data-name]'));
  let waiting = 0;

  // What was typed after the @ before the cursor, or null.
  function started(box) {
    const text = textOf(box);
    const found = STARTED.exec(text.value.slice(0, text.selectionStart));
    return found ? found[1] : null;
  }

  function hide(box) {
    listOf(box).hidden = true;
    textOf(box).removeAttribute("aria-activedescendant");
  }

  function mark(box, chosen) {
    options(box).forEach((option, index) => {
      option.id = `mention-${index}`;
      option.setAttribute("aria-selected", String(option === chosen));
    });
    textOf(box).setAttribute("aria-activedescendant", chosen.id);
    chosen.scrollIntoView({ block: "nearest" });
  }

  function choose(box, option) {
    const text = textOf(box);
    const from = text.selectionStart - started(box).length;
    text.setRangeText(option.dataset.name + " ", from, text.selectionStart, "end");
    hide(box);
    text.focus();
  }

  document.addEventListener("input", (event) => {
    const box = event.target.matches("textarea") ? boxOf(event.target) : null;
    if (!box) return;
    clearTimeout(waiting);
    const typed = started(box);
    if (typed === null) return hide(box);
    waiting = setTimeout(async () => {
      const answer = await fetch(`${box.dataset.people}?q=${encodeURIComponent(typed)}`);
      if (!answer.ok || started(box) !== typed) return;
      listOf(box).innerHTML = await answer.text();
      listOf(box).hidden = options(box).length === 0;
      if (!listOf(box).hidden) mark(box, options(box)[0]);
    }, 150);
  });

  // Before others: Enter and Escape belong to the open list, not to the form or the dialog around it.
  document.addEventListener("keydown", (event) => {
    const box = event.target.matches("textarea") ? boxOf(event.target) : null;
    if (!box || listOf(box).hidden) return;
    const all = options(box);
    const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown") mark(box, all[Math.min(at + 1, all.length - 1)]);
    else if (event.key === "ArrowUp") mark(box, all[Math.max(at - 1, 0)]);
    else if ((event.key === "Enter" || event.key === "Tab") && at >= 0) choose(box, all[at]);
    else if (event.key === "Escape") hide(box);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);

  // On mousedown, because the text loses the focus before a click arrives.
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest("[data-mentions-found] [data-name]");
    if (!option) return;
    event.preventDefault();
    choose(boxOf(option), option);
  });

  document.addEventListener("focusout", (event) => {
    const box = event.target.matches("textarea") ? boxOf(event.target) : null;
    if (box) hide(box);
  });
})();
