// Programs of ours, loaded when something needs them.

import { post } from "./door.js";
import { address, APART } from "./elsewhere.js";

const STYLED = new Set(["text", "widgets", "ipympl"]);
const GLOBALS = { plotly: "Plotly" };

const loading = new Map();
// Whether a program is there, or on its way.
export const begun = (name) => loading.has(name) || Boolean(document.querySelector(`script[data-program="${name}"]`));

export function engine(name) {
  if (!loading.has(name)) loading.set(name, load(name));
  return loading.get(name);
}

async function load(name) {
  if (APART) return handed(name);
  if (STYLED.has(name)) {
    const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: address(`${name}.css`) });
    document.head.append(sheet);
  }
  // This page may have begun with it.
  const early = document.querySelector(`script[data-program="${name}"]`);
  if (!early || !found(name)) {
    await new Promise((done, failed) => {
      const script = early ?? document.createElement("script");
      script.onload = done;
      script.onerror = () => failed(new Error(`${name}.js could not be loaded`));
      if (early) return;
      script.src = address(`${name}.js`);
      document.head.append(script);
    });
  }
  return found(name);
}

// Where nothing can be loaded, the page around hands it over.
const asked = new Map();
export function take({ name, script, style }) {
  const put = (kind, text) => document.head.append(Object.assign(document.createElement(kind), { textContent: text }));
  if (style) put("style", style);
  if (script) put("script", script);
  asked.get(name)?.();
}

async function handed(name) {
  await new Promise((done) => { asked.set(name, done); post({ t: "program", name }); });
  if (!found(name)) throw new Error(`${name}.js could not be loaded`);
  return found(name);
}

const found = (name) => globalThis[GLOBALS[name]] ?? globalThis.coderunner?.[name];
