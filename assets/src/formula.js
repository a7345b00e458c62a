// A formula in what a model wrote. What draws it is loaded with the first one; until then, and where it is none, it
// stands as it was written.

const NAME = "code-runner-formula", LONGEST = 2000;

const beside = (name) => {
  const url = new URL(name, import.meta.url);
  url.search = new URL(import.meta.url).search;
  return url.href;
};

let engine = null;

function load() {
  engine ??= (async () => {
    const script = Object.assign(document.createElement("script"), { src: beside("text.js") });
    // The fonts count for the whole page only, the rest within each formula only.
    const fonts = Object.assign(document.createElement("link"), { rel: "stylesheet", href: beside("text.css") });
    const loaded = new Promise((done, failed) => { script.onload = done; script.onerror = failed; });
    document.head.append(script, fonts);
    const sheet = new CSSStyleSheet();
    await Promise.all([loaded, fetch(fonts.href).then((answer) => answer.text()).then((text) => sheet.replace(text))]);
    return { sheet, formula: globalThis.coderunner.text.formula };
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
