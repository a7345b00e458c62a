// What scripts put beside the outputs, into the body of their page: it is seen as well, and leaves with its output.

const { body } = document;
const root = document.getElementById("root");

let drawing = null; // the place whose scripts run
const owners = new WeakMap(); // node -> the place whose script put it there
new MutationObserver((changes) => {
  for (const { addedNodes } of changes) for (const node of addedNodes) if (drawing) owners.set(node, drawing);
}).observe(body, { childList: true });

export const draws = (place) => { drawing = place; };

const range = document.createRange();

function rect(node) {
  range.selectNode(node);
  return range.getBoundingClientRect();
}

// What floats above the outputs, as tips and menus do, takes no room.
const styled = (node) => (node instanceof Element ? getComputedStyle(node) : null);
const stands = (node) => node !== root && !/^(absolute|fixed)$/.test(styled(node)?.position) && rect(node).height > 0;
const beside = () => [...body.childNodes].filter(stands);

// An output that is drawn anew, or is no more, takes along what it put there.
export function leave(place) {
  for (const node of beside()) if (owners.get(node) === place) node.remove();
}

// Who makes itself as high as the frame does so again when that has grown: what counts is how high it was before.
const before = new WeakMap();

function low(node) {
  const { top, height } = rect(node);
  const tall = height === innerHeight ? before.get(node) ?? height : height;
  before.set(node, tall);
  return top + tall + (Number.parseFloat(styled(node)?.marginBottom) || 0);
}

// In pixels, of all that is to be seen.
export function height() {
  const { height: own, bottom } = root.getBoundingClientRect(), all = beside();
  return all.length ? Math.max(bottom, ...all.map(low)) + scrollY : own;
}
