// Programs and styles that an output would load from the web: where we have them, ours stand in their place. What we
// do not have stays as it is, and is refused.

// This page stands in another one and loads nothing: what it needs is handed to it.
export const APART = location.protocol === "about:";

// Where a file of ours is, of the same build as this page.
export const address = (file) => new URL(`../${file}${location.search}`, APART ? "https://coderunner.invalid/" : location.href).href;

// A CDN's address of an npm package: with a version or without, with a path in it or without, with `.js` or without.
const npm = (name) => `(?:cdn\\.jsdelivr\\.net/npm|(?:www\\.)?unpkg\\.com|esm\\.sh|cdn\\.skypack\\.dev|esm\\.run)/${name}(?:@[^/?#]*)?(?:[/?#].*)?`;
const cdnjs = (name) => `cdnjs\\.cloudflare\\.com/ajax/libs/${name}/.*`;
const programs = (...forms) => new RegExp(`^(?:https?:)?//(?:${forms.join("|")})$`, "i");

const PLOTLY = programs("cdn\\.plot\\.ly/plotly[\\w.-]*", npm("plotly\\.js(?:-[\\w-]*dist[\\w-]*)?"), cdnjs("plotly\\.js"));
// Each address, the file that has it, and the global that a module of it gives.
const PROGRAMS = [
  [PLOTLY, "plotly.js", "Plotly"],
  [programs(npm("vega"), cdnjs("vega")), "vega.js", "vega"],
  [programs(npm("vega-lite"), cdnjs("vega-lite")), "vega.js", "vegaLite"],
  [programs(npm("vega-embed"), cdnjs("vega-embed")), "vega.js", "vegaEmbed"],
];
const STYLES = [[/^(?:https?:)?\/\/[^/]+\/.*font-?awesome.*\.css(?:[?#].*)?$/i, "widgets.css"]];

const found = (table, url) => table.find(([there]) => there.test(String(url).trim()));

export const ours = (url) => {
  const program = found(PROGRAMS, url);
  return program ? address(program[1]) : url;
};

export const ourStyle = (url) => {
  const style = found(STYLES, url);
  return style ? address(style[1]) : url;
};

// The global of the program at an address; nothing where it is not ours.
export const globalOf = (url) => found(PROGRAMS, url)?.[2];

// What a module imports by its address.
export const imports = (text) => text.replace(/(\b(?:from|import)\s*\(?\s*)(["'])((?:https?:)?\/\/[^"'\s]+)\2/g, (all, before, quote, url) => {
  const name = globalOf(url);
  if (!name) return all;
  const source = `import "${ours(url)}"; export default globalThis.${name};`;
  return `${before}${quote}data:text/javascript,${encodeURIComponent(source).replaceAll("'", "%27")}${quote}`;
});

// A program that stands in its address is handed on by a short one: libraries look at addresses again and again.
const LONG = /data:text\/javascript;base64,([A-Za-z0-9+/]{2000,}={0,2})/g;
export const short = (text) => text.replace(LONG, (_all, encoded) => {
  const bytes = Uint8Array.from(atob(encoded), (each) => each.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type: "text/javascript" }));
});

// The hash of another file is not ours.
export function unchecked(script) {
  script.removeAttribute("integrity");
  script.removeAttribute("crossorigin");
}

// Outputs that load a program do so with a script of their own.
const mapped = new WeakSet();
const { prototype } = HTMLScriptElement;
const src = Object.getOwnPropertyDescriptor(prototype, "src");
const integrity = Object.getOwnPropertyDescriptor(prototype, "integrity");
const { setAttribute } = Element.prototype;

function load(script, url, set) {
  const instead = ours(String(url));
  if (instead !== String(url)) {
    unchecked(script);
    mapped.add(script);
  }
  set.call(script, instead);
}

Object.defineProperty(prototype, "src", { ...src, set(url) { load(this, url, src.set); } });
Object.defineProperty(prototype, "integrity", { ...integrity, set(hash) { if (!mapped.has(this)) integrity.set.call(this, hash); } });
prototype.setAttribute = function (name, value) {
  const which = String(name).toLowerCase();
  if (which === "src") load(this, value, src.set);
  else if (which !== "integrity" || !mapped.has(this)) setAttribute.call(this, name, value);
};
