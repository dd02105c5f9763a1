// Plots, drawn when they come near the screen. Plotly's script stands packed in the page and is started once.

const STACKED_BELOW = 720; // pixels: panels stand below one another in a narrower box

let plotly = null;

async function startPlotly() {
  await whenParsed;
  const source = await unpackText(byId("data-plotly"));
  const script = document.createElement("script");
  script.textContent = source; // the policy knows its hash
  document.head.append(script);
  return window.Plotly;
}

class Plots {
  constructor(figures) {
    this.figures = figures;
    this.boxes = [...document.querySelectorAll(".plot")];
    this.drawn = new Set();
    this.reserve();
    const near = new IntersectionObserver((entries) => this.onNear(entries), { rootMargin: "150px" });
    for (const box of this.boxes) near.observe(box);
    new ResizeObserver(() => this.redraw()).observe(document.querySelector("main"));
    addEventListener("beforeprint", () => this.boxes.forEach((box) => this.draw(box)));
  }

  // Each box is as high before its plot is drawn as after: nothing below it moves.
  reserve() {
    for (const box of this.boxes) {
      if (Number(box.dataset.reserved) === box.clientWidth) continue;
      box.dataset.reserved = box.clientWidth;
      box.style.minHeight = `${layoutOf(this.figures[box.dataset.chart], box.clientWidth).height}px`;
    }
  }

  onNear(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting && !this.drawn.has(target)) this.draw(target);
    }
  }

  async draw(box) {
    this.drawn.add(box);
    plotly ??= startPlotly();
    const library = await plotly;
    const figure = this.figures[box.dataset.chart];
    box.querySelector(".alt")?.remove();
    box.dataset.width = box.clientWidth;
    await library.react(box, tracesOf(figure), layoutOf(figure, box.clientWidth), {
      displaylogo: false,
      displayModeBar: box.clientWidth < STACKED_BELOW ? false : "hover",
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
    });
    box.classList.add("drawn");
  }

  redraw(force = false) {
    this.reserve();
    for (const box of this.drawn) {
      if (force || Number(box.dataset.width) !== box.clientWidth) this.draw(box);
    }
  }
}

const axis = (letter, place) => `${letter}${place ? place + 1 : ""}`;

function tracesOf(figure) {
  return figure.panels.flatMap(({ traces }, place) =>
    traces.map((trace) => {
      const own = structuredClone(trace); // Plotly writes into what it is given
      if (own.error_y) own.error_y.color ??= ink("--muted");
      return { ...own, xaxis: axis("x", place), yaxis: axis("y", place) };
    }),
  );
}

const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function layoutOf(figure, width) {
  const stacked = width < STACKED_BELOW;
  const count = figure.panels.length;
  const columns = stacked ? 1 : Math.min(count, 3);
  const rows = Math.ceil(count / columns);
  const names = new Set(figure.panels.flatMap(({ traces }) => traces.map(({ name }) => name ?? "")));
  const legend = Math.ceil([...names].reduce((sum, name) => sum + 65 + 8 * name.length, 0) / (width - 70));
  const slanted = figure.panels.some(({ names }) => names?.some((name) => name.length * columns * names.length * 7 > width));
  const layout = {
    ...frameOf(figure, width),
    margin: { l: 56, r: 8, t: 42 + 30 * legend, b: 56 },
    height: 86 + 30 * legend + rows * (stacked ? 250 : 290) + (slanted ? rows * 60 : 0),
    grid: { rows, columns, pattern: "independent", xgap: 0.05, ygap: slanted ? 0.42 : 0.35 },
    annotations: [],
  };
  for (const [place, panel] of figure.panels.entries()) {
    layout[axis("xaxis", place)] = xAxis(figure, panel, { titled: place + columns >= count, slanted, stacked });
    layout[axis("yaxis", place)] = yAxis(figure, place, place % columns === 0);
    layout.annotations.push(titleOf(panel, place));
  }
  return layout;
}

function frameOf(figure, width) {
  return {
    autosize: false,
    width,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 13, color: ink("--text") },
    barmode: figure.mark === "stacked" ? "stack" : "group",
    bargap: 0.25,
    scattermode: figure.mark === "points" ? "group" : "overlay",
    scattergap: 0.4,
    hovermode: figure.mark === "lines" ? "x unified" : "closest",
    hoverlabel: { bgcolor: ink("--raised"), bordercolor: ink("--rule"), font: { color: ink("--text") } },
    legend: { orientation: "h", x: 0, xanchor: "left", y: 1, yanchor: "top", yref: "container" },
    dragmode: width < STACKED_BELOW ? false : "zoom", // a finger that scrolls shall not zoom
    modebar: { bgcolor: "rgba(0,0,0,0)", color: ink("--muted"), activecolor: ink("--text") },
  };
}

const lines = () => ({ gridcolor: ink("--rule"), linecolor: ink("--axis"), tickfont: { size: 12, color: ink("--muted") }, automargin: true });

function xAxis(figure, { names }, { titled, slanted, stacked }) {
  const title = { text: titled ? figure.x : "", standoff: 10, font: { size: 13 } };
  const base = { ...lines(), showgrid: false, showline: true, zeroline: false, title };
  if (!names) return { ...base, type: figure.logX ? "log" : "linear" };
  const ticktext = stacked ? names.map((name) => shorten(name, 16)) : names;
  const ticks = { tickmode: "array", tickvals: [...names.keys()], ticktext, tickangle: slanted ? -35 : 0 };
  return { ...base, ...ticks, type: "linear", range: [-0.5, names.length - 0.5] };
}

// All panels have one scale, which the first of each row shows.
function yAxis(figure, place, first) {
  const title = { text: first ? figure.y : "", standoff: 8, font: { size: 13 } };
  const scale = { rangemode: "tozero", showticklabels: first, ...(place && { matches: "y" }) };
  return { ...lines(), ...scale, title, zerolinecolor: ink("--axis") };
}

function titleOf(panel, place) {
  const domain = (letter) => `${axis(letter, place)} domain`;
  return { text: panel.title, xref: domain("x"), yref: domain("y"), x: 0, y: 1, yshift: 22, xanchor: "left", showarrow: false, font: { size: 13 } };
}
