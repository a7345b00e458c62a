// What lies beside a widget's program in the kernel's environment: further parts of it, fonts, styles. Programs ask
// for it by addresses that their page gives them, as if it were on a server. Here these lead nowhere: what is asked
// for comes from the kernel, and goes on as data.

const BASE = "https://kernel.invalid/"; // no name of a host, by RFC 6761

const KINDS = { js: "text/javascript", css: "text/css", json: "application/json", wasm: "application/wasm",
  svg: "image/svg+xml", png: "image/png", gif: "image/gif", jpg: "image/jpeg", woff2: "font/woff2", woff: "font/woff", ttf: "font/ttf" };
const kind = (name) => KINDS[name.split(".").pop().toLowerCase()] ?? "application/octet-stream";

const FACE = /@font-face\s*{[^}]*}/g;
const ADDRESS = /url\(\s*["']?(https:\/\/kernel\.invalid\/[^"')\s]+)["']?\s*\)/g;
const FONTS = [/\.woff2(?=[?#]|$)/, /\.woff(?=[?#]|$)/, /\.[ot]tf(?=[?#]|$)/]; // the smallest first

export const address = (name) => `${BASE}${name}`;

// The name of a file; nothing where it is an address of the web.
function named(url) {
  const text = String(url);
  return text.startsWith(BASE) ? decodeURIComponent(text.slice(BASE.length).split(/[?#]/)[0]) : "";
}

// `get(name)` gives the bytes of a file, or fails.
export function serve(get) {
  const made = new Map();
  const blob = (name) => {
    if (!made.has(name)) made.set(name, get(name).then((bytes) => URL.createObjectURL(new Blob([bytes], { type: kind(name) }))));
    return made.get(name);
  };
  document.body.dataset.baseUrl = BASE; // where notebooks say what their addresses begin with
  for (const element of [HTMLScriptElement, HTMLImageElement]) divert(element.prototype, "src", blob);
  divert(HTMLLinkElement.prototype, "href", (name, link) => (link.rel === "stylesheet" ? styled(name, link, get) : blob(name)));
  const { fetch } = globalThis;
  globalThis.fetch = async (what, ...how) => {
    const name = named(what?.url ?? what);
    return name ? new Response(await get(name), { headers: { "Content-Type": kind(name) } }) : fetch(what, ...how);
  };
  const watch = new MutationObserver((records) => {
    for (const { target, addedNodes } of records) {
      for (const node of [target, target.parentNode, ...addedNodes]) if (node?.localName === "style") dress(node, blob);
    }
  });
  watch.observe(document.documentElement, { childList: true, subtree: true, characterData: true });
}

// An element that is to load a file of the kernel's gets it when it is there, or fails as it would elsewhere.
function divert(prototype, property, come) {
  const own = Object.getOwnPropertyDescriptor(prototype, property);
  Object.defineProperty(prototype, property, {
    ...own,
    set(url) {
      const name = named(url);
      if (!name) return own.set.call(this, url);
      come(name, this).then((there) => { if (there) own.set.call(this, there); }, () => this.dispatchEvent(new Event("error")));
    },
  });
}

// The addresses in a style sheet are those beside it.
async function styled(name, link, get) {
  const text = new TextDecoder().decode(await get(name));
  const sheet = text.replace(/url\(\s*["']?(?![a-z]+:|[/#"'])([^"')]+)["']?\s*\)/gi, (_, url) => `url(${new URL(url, address(name))})`);
  document.head.append(Object.assign(document.createElement("style"), { textContent: sheet }));
  link.dispatchEvent(new Event("load"));
}

const best = (face) => {
  const all = [...face.matchAll(ADDRESS)].map(([, url]) => url);
  return FONTS.flatMap((font) => all.filter((url) => font.test(url)))[0] ?? "";
};

// A style sheet that names files is put back without them at once, since a browser would ask for them: each comes
// back when its file is there.
function dress(sheet, blob) {
  const text = sheet.textContent;
  if (!text.includes(BASE)) return;
  const faces = [];
  const bare = text.replace(FACE, (face) => {
    if (!face.includes(BASE)) return face;
    faces.push(face);
    return "";
  }).replace(ADDRESS, (_, url) => {
    blob(named(url)).then((there) => { pictures.textContent += `:root{--cr-file-${hash(url)}:url(${there})}`; }, () => {});
    return `var(--cr-file-${hash(url)})`;
  });
  // What is written in another way is no address that anybody asks for.
  sheet.textContent = bare.replaceAll(BASE, "about:invalid#");
  const pictures = sheet.insertAdjacentElement("afterend", document.createElement("style"));
  for (const face of faces) {
    const url = best(face);
    if (!url) continue;
    blob(named(url)).then((there) => {
      const source = `src:url(${there})`;
      const rest = face.replace(/(?<=[{;\s])src\s*:[^;}]*;?/g, "").replace(/}\s*$/, `;${source}}`);
      pictures.append(rest);
    }, () => {});
  }
}

const hash = (text) => [...text].reduce((sum, each) => (Math.imul(sum, 31) + each.codePointAt(0)) >>> 0, 7).toString(36);
