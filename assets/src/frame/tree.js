// JSON as a tree that unfolds. A text and the name of a value stand behind an `s`, a number behind an `n`: JavaScript
// would round numbers, and sort names.

const MOST = 500; // children of one node that are shown
const LINES = 40, MORE = 200; // that are unfolded at first, and where the program asks for all
const DEEPEST = 5; // levels of them

const inner = (value) => (Array.isArray(value) ? value.map((each, at) => [`s${at}`, each]) : Object.entries(value));
const branches = (value) => value !== null && typeof value === "object";

export function tree(data, metadata) {
  const place = document.createElement("div");
  place.className = "cr-json";
  place.append(node("", data, unfolded(data, metadata?.expanded === true ? MORE : LINES)));
  return place;
}

// What is open at first: the root, and level by level as much as there is room for.
function unfolded(data, lines) {
  const open = new Set();
  let level = branches(data) ? [data] : [];
  for (let depth = 0; depth < DEEPEST && level.length && lines > 0; depth += 1) {
    const next = [];
    for (const value of level) {
      const all = inner(value);
      if (depth && all.length > lines) continue;
      lines -= all.length;
      open.add(value);
      for (const [, each] of all) if (branches(each)) next.push(each);
    }
    level = next;
  }
  return open;
}

function node(name, value, open) {
  if (!branches(value)) return leaf(name, value);
  const all = inner(value);
  const place = document.createElement("details"), head = document.createElement("summary");
  head.append(label(name), Array.isArray(value) ? `[${all.length}]` : `{${all.length}}`);
  place.append(head);
  const fill = () => {
    if (place.childElementCount > 1) return;
    for (const [key, each] of all.slice(0, MOST)) place.append(node(key.slice(1), each, open));
    if (all.length > MOST) place.append(leaf("", `s… ${all.length - MOST} more`));
  };
  place.addEventListener("toggle", fill);
  if (open.has(value)) fill();
  place.open = open.has(value);
  return place;
}

function leaf(name, value) {
  const place = document.createElement("div"), text = document.createElement("span");
  const [kind, written] = typeof value === "string" ? [value[0], value.slice(1)] : ["n", String(value)];
  text.className = `cr-${kind}`;
  text.textContent = kind === "s" ? JSON.stringify(written) : written;
  place.append(label(name), text);
  return place;
}

function label(name) {
  const place = document.createElement("span");
  place.textContent = name && `${name}: `;
  return place;
}
