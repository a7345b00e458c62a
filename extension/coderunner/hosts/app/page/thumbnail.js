// A picture among the files of a message: `<code-runner-thumbnail data-path=…>`.
customElements.define("code-runner-thumbnail", class extends HTMLElement {
  #of = "";
  // Where Gradio, which draws its own part of the page anew, takes nothing away.
  #root = this.attachShadow({ mode: "open" });

  connectedCallback() {
    document.addEventListener("coderunner-shown", this.#show);
    this.#show();
  }

  disconnectedCallback() { document.removeEventListener("coderunner-shown", this.#show); }

  // The messages of another conversation may be drawn a moment before it is said which one it is.
  #show = async () => {
    const { folder, shown } = window.coderunner, c = shown(), { path } = this.dataset, which = `${c} ${path}`;
    if (!c || which === this.#of) return;
    this.#of = which;
    this.#root.replaceChildren();
    try {
      const picture = Object.assign(new Image(), { src: await folder.picture(c, path), alt: "", onerror: () => picture.remove() });
      picture.style = "display: block; max-width: 230px; max-height: 160px; border-radius: 6px; object-fit: contain";
      if (which === this.#of) this.#root.replaceChildren(picture);
    } catch { /* it is not there any more: its name still is */ }
  };
});
