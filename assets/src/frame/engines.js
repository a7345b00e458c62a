// Programs of ours, loaded when something needs them; also where an output would have them from elsewhere,
// which no frame may ask.

const FILES = document.currentScript.src;
const address = (file) => FILES.replace("frame.js", file);

const STYLED = new Set(["text", "widgets", "ipympl"]);
const GLOBALS = { plotly: "Plotly" };

const loading = new Map();
export function engine(name) {
  if (!loading.has(name)) loading.set(name, load(name));
  return loading.get(name);
}

async function load(name) {
  if (STYLED.has(name)) {
    const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: address(`${name}.css`) });
    document.head.append(sheet);
  }
  await new Promise((done, failed) => {
    const script = document.createElement("script");
    script.onload = done;
    script.onerror = () => failed(new Error(`${name}.js could not be loaded`));
    script.src = address(`${name}.js`);
    document.head.append(script);
  });
  return globalThis[GLOBALS[name]] ?? globalThis.coderunner[name];
}

const ELSEWHERE = [
  [/^https:\/\/cdn\.plot\.ly\/plotly-[\w.-]+\.js/, "plotly"],
  [/^https:\/\/(cdn\.jsdelivr\.net\/npm|unpkg\.com)\/vega(-lite|-embed)?@/, "vega"],
];

export function ours(url) {
  const found = ELSEWHERE.find(([there]) => there.test(url));
  return found ? address(`${found[1]}.js`) : url;
}

// Outputs that load a program do so with a script of their own.
const src = Object.getOwnPropertyDescriptor(HTMLScriptElement.prototype, "src");
Object.defineProperty(HTMLScriptElement.prototype, "src", {
  ...src,
  set(url) { src.set.call(this, ours(String(url))); },
});
