// How each kind of output is drawn. Engines are loaded when something needs them.

import { engine } from "./engines.js";
import { html } from "./html.js";
import { tree } from "./tree.js";

// Something that is drawn when its place stands in the page, and has a width.
function later(className, draw) {
  const place = document.createElement("div");
  place.className = className;
  place.addEventListener("shown", () => draw(place), { once: true });
  return place;
}

const dark = () => document.documentElement.classList.contains("dark");

async function script({ data }) {
  return later("cr-html", (place) => new Function("element", data)(place));
}

const KINDS = [
  [/^text\/html$/, ({ data }) => html(data)],
  [/^text\/markdown$/, async ({ data }) => html((await engine("text")).markdown(data))],
  [/^text\/latex$/, async ({ data }) => html((await engine("text")).latex(data))],
  [/^application\/json$/, ({ data, metadata }) => tree(data, metadata)],
  [/^application\/javascript$/, script],
  [/^application\/vnd\.vega(lite)?\.v\d+/, async ({ data }) => {
    const { embed } = await engine("vega");
    return later("cr-chart", (place) => embed(place, data, dark()));
  }],
  [/^application\/vnd\.plotly\.v1\+json$/, async ({ data }) => {
    const plotly = await engine("plotly");
    const config = { responsive: true, displaylogo: false, ...data.config };
    return later("cr-chart", (place) => plotly.newPlot(place, data.data, data.layout, config));
  }],
];

export async function draw(item) {
  try {
    const [, how] = KINDS.find(([kind]) => kind.test(item.kind));
    return await how(item);
  } catch (failure) {
    const place = document.createElement("pre");
    place.textContent = `${item.plain}\n(${failure})`;
    return place;
  }
}
