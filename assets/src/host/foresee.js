// What code is about to show, as far as its names say: so that a frame with its program is ready when it is shown. A
// guess that is wrong costs a frame while the block runs, or the time that would have been saved.

const USES = [
  [/\b(?:ipywidgets|anywidget|FigureWidget|ipyleaflet|ipympl)\b|\binteract(?:ive|_manual)?\b|\bwidgets?\.[A-Z]/, "widgets"],
  [/\bplotly\b|\bpx\.[a-z]\w*\(|\bgo\.[A-Z]/, "charts"],
  [/\baltair\b|\balt\.[A-Za-z]/, "vega"],
];
const MOST = 50_000; // characters of code that are read

export const foreseen = (code) => USES.find(([names]) => names.test(code.slice(0, MOST)))?.[1] ?? "";
