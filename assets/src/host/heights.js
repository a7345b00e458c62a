// How high blocks and frames were last, so that a page that is loaded again does not jump while they fill.

const KEY = "coderunner-heights", MOST = 500;

let known = {};
try { known = JSON.parse(localStorage.getItem(KEY)) ?? {}; } catch { /* not allowed, or not ours */ }

export const height = (name) => Number(known[name]) || 0;

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
