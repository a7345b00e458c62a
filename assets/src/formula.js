// A formula in what a model wrote. What draws it is loaded with the first one; until then, and where it is none, it
// stands as it was written.

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

class Formula extends HTMLElement {
  static observedAttributes = ["data-tex", "data-display"];

  #root = this.attachShadow({ mode: "open" });

  constructor() {
    super();
    this.#root.append(document.createElement("slot"));
  }

  connectedCallback() { this.#draw(); }

  attributeChangedCallback() { if (this.isConnected) this.#draw(); }

  async #draw() {
    const { tex = "" } = this.dataset, display = "display" in this.dataset;
    if (tex.length > LONGEST) return;
    try {
      const { sheet, formula } = await load();
      if (tex !== this.dataset.tex || display !== "display" in this.dataset) return;
      this.#root.innerHTML = formula(tex, display, true);
      this.#root.adoptedStyleSheets = [sheet];
    } catch {
      this.#root.replaceChildren(document.createElement("slot"));
    }
  }
}

if (!customElements.get(NAME)) customElements.define(NAME, Formula);
