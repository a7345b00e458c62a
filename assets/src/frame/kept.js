// What pages keep in a browser. A closed frame has no origin to keep it for, and libraries end at the first look at what is
// refused: here all of it is kept in memory, as long as the frame stands, and by nobody else.

function storage() {
  const kept = new Map();
  const own = Object.create(Storage.prototype, Object.getOwnPropertyDescriptors({
    getItem: (name) => kept.get(String(name)) ?? null,
    setItem(name, value) { kept.set(String(name), String(value)); },
    removeItem(name) { kept.delete(String(name)); },
    clear() { kept.clear(); },
    key: (at) => [...kept.keys()][at] ?? null,
    get length() { return kept.size; },
  }));
  const ours = (name) => typeof name === "symbol" || name in own;
  return new Proxy(own, {
    get: (_, name) => (ours(name) ? own[name] : kept.get(name)),
    set(_, name, value) {
      if (!ours(name)) kept.set(name, String(value));
      return true;
    },
    has: (_, name) => ours(name) || kept.has(name),
    deleteProperty(_, name) {
      kept.delete(name);
      return true;
    },
    defineProperty: (_, name, { value }) => !ours(name) && Boolean(kept.set(name, String(value))),
    ownKeys: () => [...kept.keys()],
    getOwnPropertyDescriptor: (_, name) => (kept.has(name) ? { value: kept.get(name), writable: true, enumerable: true, configurable: true } : undefined),
  });
}

// `name=value`, and what says how long it lasts: no longer than its frame, or not at all.
const cookies = new Map();
const ENDS = /;\s*(?:max-age\s*=\s*(?:-|0+\s*(?:;|$))|expires\s*=([^;]*))/i;

function keep(text) {
  const [, name, value] = /^\s*(?:([^=;]*)=)?([^;]*)/.exec(text);
  const ends = ENDS.exec(text), key = (name ?? "").trim();
  if (ends && (ends[1] === undefined || Date.parse(ends[1]) <= Date.now())) cookies.delete(key);
  else cookies.set(key, value.trim());
}

const told = () => [...cookies].map(([name, value]) => (name ? `${name}=${value}` : value)).join("; ");

Object.defineProperty(document, "cookie", { configurable: true, enumerable: true, get: told, set(text) { keep(String(text)); } });
for (const name of ["localStorage", "sessionStorage"]) {
  Object.defineProperty(globalThis, name, { configurable: true, enumerable: true, value: storage() });
}
