// JSON as a tree that unfolds.

const MOST = 500; // children of one node that are shown

export function tree(data, metadata) {
  const place = document.createElement("div");
  place.className = "cr-json";
  place.append(node("", data, metadata?.expanded !== false));
  return place;
}

function node(name, value, open) {
  if (value === null || typeof value !== "object") return leaf(name, value);
  const inner = Array.isArray(value) ? value.map((each, at) => [at, each]) : Object.entries(value);
  const place = document.createElement("details"), head = document.createElement("summary");
  head.append(label(name), Array.isArray(value) ? `[${inner.length}]` : `{${inner.length}}`);
  place.append(head);
  const fill = () => {
    if (place.childElementCount > 1) return;
    for (const [key, each] of inner.slice(0, MOST)) place.append(node(String(key), each, false));
    if (inner.length > MOST) place.append(leaf("", `… ${inner.length - MOST} more`));
  };
  place.addEventListener("toggle", fill);
  if (open) fill();
  place.open = open;
  return place;
}

function leaf(name, value) {
  const place = document.createElement("div"), text = document.createElement("span");
  text.className = typeof value === "string" ? "cr-s" : "cr-n";
  text.textContent = JSON.stringify(value);
  place.append(label(name), text);
  return place;
}

function label(name) {
  const place = document.createElement("span");
  place.textContent = name && `${name}: `;
  return place;
}
