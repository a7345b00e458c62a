// An output that does nothing stands in the page itself: HTML that the server has cleaned, or data that is drawn here.
// It has a shadow root of its own, so that its names and styles meet none of ours. What is rarely needed is loaded then.

import own from "../box.css";
import html from "../html.css";
import { beside, bring, has } from "./beside.js";
import { morph } from "./morph.js";

const LOOK = new CSSStyleSheet();
LOOK.replaceSync(html + own);

const more = () => bring("boxes.js");

// What it loads in turn is asked for at once.
let formulas = null;
function formula() {
  if (!formulas && !has("formula.js")) for (const [name, as] of [["text.js", "script"], ["formula.css", "fetch"], ["fonts.css", "style"]]) {
    const early = Object.assign(document.createElement("link"), { rel: "preload", as, href: beside(name) });
    if (as === "fetch") early.crossOrigin = "anonymous";
    document.head.append(early);
  }
  return formulas ??= bring("formula.js");
}

// Text with colours of its own was made for a white page.
const COLOURED = /color|background/i;
const FILE = "#cr-file=";

// Draws an output in its place; what is there already stays, as far as it is the same. `hooks`: link(url), file(path).
export async function box(place, part, hooks) {
  let host = place.firstElementChild;
  if (host?.dataset.kind !== part.kind) {
    host = made(part.kind, hooks);
    place.replaceChildren(host);
  }
  host.output = part;
  const root = host.shadowRoot, inside = root.firstElementChild;
  try {
    await KINDS[part.kind](inside, part, root, () => host.output === part);
  } catch {
    if (host.output === part) inside.textContent = part.plain;
  }
}

// Makes room for what is no box.
export function unbox(place) { if (place.firstElementChild?.shadowRoot) place.replaceChildren(); }

function made(kind, hooks) {
  const host = Object.assign(document.createElement("div"), {
    className: "cr-out cr-box", tabIndex: 0, role: "group", ariaLabel: "Output",
  });
  host.dataset.kind = kind;
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [LOOK];
  root.append(Object.assign(document.createElement("div"), { className: "cr-html" }));
  for (const press of ["click", "auxclick"]) root.addEventListener(press, (event) => follow(event, root, hooks));
  return host;
}

// A link leads nowhere by itself: the page asks, as it does for those in frames.
function follow(event, root, hooks) {
  const link = event.target.closest("a[href]"), written = link?.getAttribute("href");
  if (!link || (event.type === "auxclick" && event.button !== 1)) return;
  event.preventDefault();
  if (written.startsWith(FILE)) hooks.file(decodeURIComponent(written.slice(FILE.length)));
  else if (!written.startsWith("#")) hooks.link(written);
  else root.getElementById(decodeURIComponent(written.slice(1)))?.scrollIntoView({ block: "nearest" });
}

const KINDS = {
  "text/html": cleaned,
  "text/markdown": cleaned,
  async "text/latex"(inside, { data }, root, still) {
    inside.textContent = data;
    const program = await formula(), { sheet, latex } = await program.load();
    if (!still()) return;
    const { html: source, formulas: found } = latex(data);
    inside.innerHTML = source;
    root.adoptedStyleSheets = [LOOK, sheet];
    await program.set(inside, found, still);
  },
  async "application/json"(inside, { data, metadata }, root, still) {
    const { tree } = await more();
    if (still()) inside.replaceChildren(tree(data, metadata));
  },
};

async function cleaned(inside, { box: { html, style } }, root) {
  const coloured = COLOURED.test(style) || COLOURED.test(html);
  root.host.hidden = html === "";
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  root.adoptedStyleSheets = [LOOK, sheet];
  // Colours that were mended are not as they were sent.
  if (coloured) inside.innerHTML = html;
  else morph(inside, html);
  if (inside.querySelector("code-runner-formula")) await formula();
  inside.toggleAttribute("data-coloured", coloured);
  if (coloured) await mended(inside);
}

const mended = async (inside) => (await more()).mend(inside);

// When the theme changes.
export function repaint(roots) {
  for (const root of roots) for (const { shadowRoot } of root.querySelectorAll(".cr-box")) {
    const inside = shadowRoot.firstElementChild;
    if ("coloured" in inside.dataset) mended(inside);
  }
}
