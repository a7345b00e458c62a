// Which figures of Plotly's the small program draws: it has the kinds of traces that most figures are made of. What
// has any other, a map, three dimensions or WebGL, takes the whole of Plotly, which is three times as large.

export const SMALL = new Set([
  "scatter", "bar", "pie", "histogram", "box", "violin", "heatmap", "histogram2d", "contour", "histogram2dcontour",
  "funnel", "funnelarea", "waterfall", "candlestick", "ohlc", "sunburst", "treemap", "icicle", "indicator", "table",
  "scatterpolar", "barpolar",
]);

const CALENDARS = ["calendar", "xcalendar", "ycalendar", "zcalendar"];

const objects = (all) => (Array.isArray(all) ? all : []).filter((each) => typeof each === "object" && each !== null);
const foreign = (part) => CALENDARS.some((name) => (part[name] ?? "gregorian") !== "gregorian");

// The program that a figure takes. Its frames may bring further traces.
export function program(figure) {
  const { data, layout, frames } = figure ?? {};
  const traces = [data, ...objects(frames).map((frame) => frame.data)].flatMap(objects);
  const small = traces.every((trace) => SMALL.has(trace.type ?? "scatter") && !foreign(trace));
  const parts = [layout, ...objects(Object.values(layout ?? {}))];
  return small && !objects(parts).some(foreign) ? "charts" : "plotly";
}
