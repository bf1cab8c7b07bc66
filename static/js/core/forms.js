// A generated form is replaced by what the server decided after a change. What somebody does meanwhile must not
// be overwritten: neither in the field that has the focus, nor by an answer that does not know it yet.
(function () {
  "use strict";
  const since = new Map(); // of each request under way: the controls that were changed after it was sent
  let changed = new Set(); // those of the answer that is being put in

  function note(event) {
    const box = event.target.closest("[data-typeahead]");
    for (const controls of since.values()) {
      controls.add(event.target);
      if (box) box.querySelectorAll("input").forEach((input) => controls.add(input));
    }
  }
  document.addEventListener("input", note, true);
  document.addEventListener("change", note, true);

  document.addEventListener("htmx:beforeSend", (event) => {
    const { xhr } = event.detail;
    since.set(xhr, new Set());
    xhr.addEventListener("loadend", () => since.delete(xhr));
  });
  document.addEventListener("htmx:beforeSwap", (event) => { changed = since.get(event.detail.xhr) || new Set(); });

  function keep(control, fresh) {
    if (control.type === "checkbox" || control.type === "radio") {
      fresh.checked = control.checked;
    } else if (control.tagName === "SELECT" && fresh.tagName === "SELECT") {
      const chosen = new Set(Array.from(control.selectedOptions, (option) => option.value));
      for (const option of fresh.options) option.selected = chosen.has(option.value);
    } else {
      fresh.value = control.value;
    }
  }

  const { defaults } = window.Idiomorph;
  defaults.ignoreActiveValue = true;
  defaults.callbacks.beforeNodeMorphed = (node, fresh) => {
    if (changed.has(node)) keep(node, fresh);
    return true;
  };
  defaults.callbacks.beforeAttributeUpdated = (name, node) => {
    // What somebody has unfolded stays unfolded; the server does not know of it.
    if (node.tagName === "DETAILS") return name !== "open";
    // A date that is half typed is no date yet; its control must not turn into a text field under the hands.
    return name !== "type" || node !== document.activeElement;
  };
})();
