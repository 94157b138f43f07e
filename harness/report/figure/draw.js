// Draws each drill's interactive picture when it comes into view, in the page's own colours, and only then hides the
// static one: whatever goes wrong here, the reader keeps a picture.
(() => {
  "use strict";
  // The buttons are named one by one: none that would send anything anywhere may come with a newer Plotly.
  const BUTTONS = ["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d", "toImage"];
  const CONFIG = {responsive: true, displaylogo: false, showTips: false, modeBarButtons: [BUTTONS]};

  // Figures name colours of the style sheet, "var(--ink)"; Plotly needs their values.
  function coloured(value, style) {
    if (typeof value === "string") {
      const named = /^var\((--[a-z-]+)\)$/.exec(value);
      return named ? style.getPropertyValue(named[1]).trim() : value;
    }
    if (Array.isArray(value)) return value.map(inner => coloured(inner, style));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, coloured(inner, style)]));
  }

  async function draw(picture) {
    const room = picture.querySelector(".interactive");
    try {
      const figure = JSON.parse(picture.querySelector("script.figure").textContent);
      const {data, layout} = coloured(figure, getComputedStyle(document.documentElement));
      room.hidden = false;
      await Plotly.newPlot(room.firstElementChild, data, layout, CONFIG);
      picture.classList.add("drawn");
    } catch (error) {
      room.hidden = true;
      console.error("the static picture stays:", error);
    }
  }

  const pictures = [...document.querySelectorAll(".picture")].filter(one => one.querySelector("script.figure"));
  const coming = new IntersectionObserver(entries => {
    for (const entry of entries.filter(one => one.isIntersecting)) {
      coming.unobserve(entry.target);
      draw(entry.target);
    }
  }, {rootMargin: "600px"});
  pictures.forEach(picture => coming.observe(picture));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    pictures.filter(one => one.classList.contains("drawn")).forEach(draw));
})();
