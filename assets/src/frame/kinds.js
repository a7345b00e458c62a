// How each kind of output is drawn. Engines are loaded when something needs them.

import { figure, serve } from "./comms.js";
import { program } from "../traces.js";
import { set } from "../turns.js";
import { begun, engine } from "./engines.js";
import { formulas } from "./formulas.js";
import { html, inert } from "./html.js";
import { tree } from "./tree.js";
import { widget } from "./widgets.js";

// Something that is drawn when its place stands in the page, and has a width.
function later(className, begin) {
  return { node: Object.assign(document.createElement("div"), { className }), begin };
}

// In a tab that nobody has opened yet, nothing has a width.
function whenSeen(node, act) {
  const watch = new ResizeObserver(() => {
    if (!node.offsetWidth) return;
    watch.disconnect();
    act();
  });
  watch.observe(node);
}

const dark = () => document.documentElement.classList.contains("dark");

// What a script begins goes on beside the other outputs, whatever it gives back.
const script = ({ data }) => later("cr-html", (place) => { new Function("element", data)(place); });

// As BokehJS and HoloViews have it: HTML, and a script that draws in it or in what stands before.
function executed({ kind, data: { html: source, script: text }, metadata }) {
  if (kind.includes("holoviews_exec")) serve(metadata?.id);
  if (kind.includes("bokehjs_exec")) figure(metadata?.id);
  const node = html(source);
  if (text) node.append(inert(text));
  return { node };
}

const text = ({ html: source, formulas: found }) => ({ node: html(source), begin: (place) => set(place, found) });

// What of Plotly's has a map with countries in it.
const MAPS = /"type":\s{0,9}"(choropleth|scattergeo)"/;

const KINDS = [
  [/^application\/vnd\.jupyter\.widget-view\+json$/, (item) => later("cr-widget", (place) => { widget(place, item, draw); })],
  [/^text\/plain$/, ({ data }) => ({ node: Object.assign(document.createElement("pre"), { textContent: data }) })],
  [/^text\/html$/, async ({ data }) => {
    if (MAPS.test(data)) await engine("geo");
    const node = html(data);
    return { node, begin: formulas(node) };
  }],
  [/^text\/markdown$/, async ({ data }) => text((await engine("text")).markdown(data))],
  [/^text\/latex$/, async ({ data }) => text((await engine("text")).latex(data))],
  [/^application\/json$/, ({ data, metadata }) => ({ node: tree(data, metadata) })],
  [/^application\/javascript$/, script],
  [/^application\/vnd\.(bokehjs|holoviews)_(load|exec)\.v0\+json$/, executed],
  [/^application\/vnd\.vega(lite)?\.v\d+/, async ({ data }) => {
    const { embed } = await engine("vega");
    return later("cr-chart", (place) => embed(place, data, dark()));
  }],
  [/^application\/vnd\.plotly\.v1\+json$/, async ({ data }) => {
    const plotly = await engine(begun("plotly") ? "plotly" : program(data));
    if ((data.data ?? []).some?.(({ type }) => /^(choropleth|scattergeo)$/.test(type))) await engine("geo");
    const config = { responsive: true, displaylogo: false, ...data.config };
    return later("cr-chart", async (place) => {
      // Without padding: a figure without a height gets plotly's only where its place has none either.
      const figure = place.appendChild(document.createElement("div"));
      const hidden = figure.offsetWidth === 0;
      await plotly.newPlot(figure, { data: data.data, layout: data.layout, frames: data.frames, config });
      if (hidden) whenSeen(figure, () => plotly.Plots.resize(figure));
    });
  }],
];

// Gives the node, and where it has to stand in the page first, what then begins to draw in it.
export async function draw(item) {
  const [, how] = KINDS.find(([kind]) => kind.test(item.kind));
  return how(item);
}
