// A thin line at the top while htmx waits for the server.
(function () {
  "use strict";
  let waiting = 0;
  function show(change) {
    waiting = Math.max(0, waiting + change);
    const line = document.getElementById("fw-progress");
    if (line) line.classList.toggle("waiting", waiting > 0);
  }
  document.addEventListener("htmx:beforeSend", () => show(1));
  document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.xhr) show(-1); });
})();
