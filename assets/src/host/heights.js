// How high blocks and frames were last, so that a page that is loaded again does not jump while they fill.

const KEY = "coderunner-heights", MOST = 500;

let known = {};
try { known = JSON.parse(localStorage.getItem(KEY)) ?? {}; } catch { /* not allowed, or not ours */ }

export const height = (name, otherwise = 0) => (Object.hasOwn(known, name) ? Number(known[name]) || 0 : otherwise);

let late = 0;
export function remember(name, pixels) {
  if (known[name] === pixels) return;
  delete known[name]; // the last one written is the last one forgotten
  known[name] = pixels;
  late ||= setTimeout(() => {
    late = 0;
    for (const old of Object.keys(known).slice(0, -MOST)) delete known[old];
    try { localStorage.setItem(KEY, JSON.stringify(known)); } catch { /* not allowed: for this visit only */ }
  }, 500);
}

const UNTOLD = 450; // pixels that Plotly gives a figure that does not say how high it is
const AROUND = 25; // pixels that a frame has around it
const CHARTS = [
  [/^application\/vnd\.plotly\.v1\+json$/, ({ layout }) => layout?.height ?? UNTOLD],
  [/^application\/vnd\.vega/, ({ height }) => height],
];

// How high what a frame is to draw will be, as far as it says so itself: what is read below it moves the less.
export function foretold(items) {
  const each = items.map(({ kind, data }) => Number(CHARTS.find(([kinds]) => kinds.test(kind))?.[1](data ?? {})));
  return each.reduce((sum, pixels) => sum + (pixels > 0 ? pixels + AROUND : 0), 0);
}
