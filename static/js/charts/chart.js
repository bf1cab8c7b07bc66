// Draws every <figure data-chart> with Chart.js: follows the theme, keeps still for those who ask for less
// motion, and opens the list behind a bar that is clicked. The table beside it says the same without a canvas.
(function () {
  "use strict";
  const drawn = new Map();
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

  function color(name, fallback) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || fallback;
  }

  // Stage colours are Tabler's names; steps without one walk through the palette.
  const PALETTE = ["blue", "azure", "cyan", "teal", "green", "lime", "yellow", "orange", "red", "purple"];
  const OUTCOMES = { won: "green", lost: "red", invalid: "orange", open: "azure" };

  function paint(name) { return color("--tblr-" + name, "#066fd1"); }

  function paintSeries(series) {
    if (series.paint) {
      series.backgroundColor = paint(OUTCOMES[series.paint] || series.paint);
    } else {
      series.backgroundColor = series.data.map(
        (_value, index) => paint((series.colors || [])[index] || PALETTE[index % PALETTE.length]));
    }
    series.borderWidth = 0;
  }

  // Names and numbers on the bars of a funnel, so that it reads without pointing at it.
  const labels = {
    id: "funnelLabels",
    afterDatasetsDraw(chart) {
      if (chart.config.type !== "funnel") return;
      const series = chart.data.datasets[0];
      const context = chart.ctx;
      const middle = (chart.chartArea.left + chart.chartArea.right) / 2;
      context.save();
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.font = "600 13px " + getComputedStyle(document.body).fontFamily;
      context.lineWidth = 3;
      context.lineJoin = "round";
      context.strokeStyle = color("--fw-surface", "#ffffff");
      context.fillStyle = color("--fw-ink", "#1b2230");
      chart.getDatasetMeta(0).data.forEach((bar, index) => {
        const text = chart.data.labels[index] + "  " + series.texts[index];
        context.strokeText(text, middle, bar.y);
        context.fillText(text, middle, bar.y);
      });
      context.restore();
    },
  };

  function complete(island) {
    const config = structuredClone(island.config);
    const options = config.options;
    const text = color("--tblr-body-color", "#182433");
    const line = color("--tblr-border-color", "#e6e7e9");
    config.data.datasets.forEach(paintSeries);
    options.responsive = true;
    options.locale = document.documentElement.lang;
    options.color = text;
    options.borderColor = line;
    options.animation = calm.matches ? false : { duration: 350 };
    options.plugins.tooltip = { callbacks: { label: (item) => {
      const texts = item.dataset.texts;
      return " " + item.dataset.label + ": " + (texts ? texts[item.dataIndex] : item.formattedValue);
    } } };
    if (config.type === "funnel") {
      options.plugins.datalabels = { display: false };
      options.layout = { padding: { top: 4, bottom: 4 } };
    }
    for (const axis of Object.values(options.scales || {})) {
      axis.ticks = Object.assign({ color: text }, axis.ticks);
      axis.grid = { color: line };
    }
    options.onHover = (event, items) => {
      const target = event.native && event.native.target;
      if (target) target.classList.toggle("chart-link", items.length > 0 && !!island.links[items[0].index]);
    };
    options.onClick = (_event, items) => {
      const link = items.length ? island.links[items[0].index] : "";
      if (link) window.location.assign(link);
    };
    config.plugins = [labels];
    return config;
  }

  function draw(figure) {
    const canvas = figure.querySelector("canvas");
    if (!canvas || !window.Chart) return;
    const before = drawn.get(figure);
    if (before) before.destroy();
    drawn.set(figure, new window.Chart(canvas, complete(JSON.parse(figure.dataset.chart))));
  }

  function drawAll(root) {
    for (const [figure, chart] of drawn) {
      if (!figure.isConnected) { chart.destroy(); drawn.delete(figure); }
    }
    root.querySelectorAll("figure[data-chart]").forEach((figure) => { if (!drawn.has(figure)) draw(figure); });
  }

  function redraw() { [...drawn.keys()].forEach(draw); }

  new MutationObserver(redraw).observe(
    document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
  calm.addEventListener("change", redraw);
  document.addEventListener("htmx:afterSettle", () => drawAll(document));
  drawAll(document);
})();
