// A formula in what a model wrote. What draws it is loaded with the first one; until then, and where it is none, it
// stands as it was written.

import { set, turn } from "./turns.js";

export { set };

const NAME = "code-runner-formula", LONGEST = 2000;

const beside = (name) => {
  const url = new URL(name, import.meta.url);
  url.search = new URL(import.meta.url).search;
  return url.href;
};

// Loads the program and gives the text of its style sheet.
let read = async () => {
  const script = Object.assign(document.createElement("script"), { src: beside("text.js") });
  // The fonts count for the whole page only, the rest within each formula only.
  const fonts = Object.assign(document.createElement("link"), { rel: "stylesheet", href: beside("fonts.css") });
  const loaded = new Promise((done, failed) => { script.onload = done; script.onerror = failed; });
  document.head.append(script, fonts);
  const [text] = await Promise.all([fetch(beside("formula.css")).then((answer) => answer.text()), loaded]);
  return text;
};

// For pages that load nothing by themselves.
export const readBy = (how) => { read = how; };

let engine = null;

export function load() {
  engine ??= (async () => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(await read());
    return { sheet, ...globalThis.coderunner.text };
  })();
  return engine;
}

// Those that are still to be drawn: first what a person sees, then in the order of the page.
const waiting = new Set(), seen = new Set();
const watch = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) seen[isIntersecting && waiting.has(target) ? "add" : "delete"](target);
}, { rootMargin: "50% 0px" });

function leave(formula) {
  waiting.delete(formula);
  seen.delete(formula);
  watch.unobserve(formula);
}

let busy = false;
async function draw() {
  if (busy) return;
  busy = true;
  const program = await load().catch(() => null);
  while (waiting.size) {
    await turn();
    const [next] = seen.size ? seen : waiting;
    if (!next) continue;
    leave(next);
    next.draw(program);
  }
  busy = false;
}

class Formula extends HTMLElement {
  static observedAttributes = ["data-tex", "data-display"];

  #root = this.attachShadow({ mode: "open" });

  constructor() {
    super();
    this.#root.append(document.createElement("slot"));
  }

  connectedCallback() { this.#wait(); }

  disconnectedCallback() { leave(this); }

  attributeChangedCallback() { if (this.isConnected) this.#wait(); }

  #wait() {
    if ((this.dataset.tex ?? "").length > LONGEST) { leave(this); return; }
    waiting.add(this);
    watch.observe(this);
    draw();
  }

  // Without the program, and what that cannot set, it stands as it was written.
  draw(program) {
    const { tex = "" } = this.dataset;
    try {
      this.#root.innerHTML = program.formula(tex, "display" in this.dataset, true);
      this.#root.adoptedStyleSheets = [program.sheet];
    } catch {
      this.#root.replaceChildren(document.createElement("slot"));
    }
  }
}

if (!customElements.get(NAME)) customElements.define(NAME, Formula);
