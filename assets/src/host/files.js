// The files that a block made: their addresses, previews, and what has become of them since.

import { copy } from "./acts.js";

const SOON = 60, OFTEN = 2000; // milliseconds until the blocks of a page are asked for together, and again
const MOST = 200;
const ICONS = { close: "M4 4l8 8M12 4l-8 8" };

const make = (name, what = {}, ...inside) => {
  const node = Object.assign(document.createElement(name), what);
  node.append(...inside);
  return node;
};

// One for the page.
export class Files {
  #base; #token; #shown = new Map(); #wanted = new Set(); #timer = 0; #last = 0;

  constructor(base, token) {
    this.#base = base;
    this.#token = token;
    // What a block wrote later, or a person did elsewhere, may have been to the files of any block.
    for (const name of ["coderunner-ended", "coderunner-files"]) document.addEventListener(name, () => this.#all());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.#all(); });
    window.addEventListener("focus", () => this.#all());
  }

  // `told` is called with what has become of the files of a block: {path: "gone" | "changed"}.
  watch(cell, told) {
    this.#shown.set(cell, told);
    this.#ask([cell], SOON);
  }

  leave(cell, told) {
    if (this.#shown.get(cell) === told) this.#shown.delete(cell);
  }

  address(cell, path) {
    return new URL(`made?${new URLSearchParams({ cell, path })}`, this.#base).href;
  }

  async preview(cell, path) {
    const address = new URL(`preview?${new URLSearchParams({ cell, path })}`, this.#base).href;
    const answer = await fetch(address, { headers: { "X-CodeRunner-Token": this.#token } });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error);
    return told;
  }

  #all() {
    this.#ask(this.#shown.keys(), Math.max(SOON, this.#last + OFTEN - Date.now()));
  }

  #ask(cells, wait) {
    for (const cell of cells) this.#wanted.add(cell);
    if (!this.#wanted.size) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fetch(), wait);
  }

  async #fetch() {
    const cells = [...this.#wanted].filter((cell) => this.#shown.has(cell)).slice(-MOST);
    this.#wanted.clear();
    this.#last = Date.now();
    if (!cells.length) return;
    try {
      const headers = { "Content-Type": "application/json", "X-CodeRunner-Token": this.#token };
      const answer = await fetch(new URL("made", this.#base).href, { method: "POST", headers, body: JSON.stringify({ cells }) });
      if (!answer.ok) return;
      for (const [cell, marks] of Object.entries(await answer.json())) this.#shown.get(cell)?.(marks);
    } catch {
      // Not connected: what is shown stays as it was.
    }
  }
}

const WORDS = { gone: "deleted", changed: "changed later" };

// The chips of one block, in `place`, and the preview that is open below them, in `below`.
export class Chips {
  #files; #place; #below; #cell = ""; #marks = {}; #open = "";
  #told = (marks) => { this.#marks = marks; this.#draw(); };

  constructor(files, place, below) {
    this.#files = files;
    this.#place = place;
    this.#below = below;
    for (const part of [place, below]) part.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.#open) return;
      event.stopPropagation();
      this.#close(true);
    });
  }

  // The chips were drawn, for the block of that id.
  drawn(cell) {
    if (cell !== this.#cell) this.leave();
    this.#cell = cell;
    if (!this.#chips().length) return this.leave();
    this.#draw();
    this.#files.watch(cell, this.#told);
  }

  leave() {
    this.#files.leave(this.#cell, this.#told);
    this.#marks = {};
    this.#close();
  }

  #chips() { return [...this.#place.querySelectorAll("[data-cr-path]")]; }

  #draw() {
    for (const chip of this.#chips()) {
      const path = chip.dataset.crPath, mark = this.#marks[path] ?? "", [button, link] = chip.children;
      chip.dataset.crMark = mark;
      if (mark === "gone") link.removeAttribute("href");
      else link.href = this.#files.address(this.#cell, path);
      link.hidden = mark === "gone";
      button.disabled = mark === "gone";
      button.setAttribute("aria-expanded", String(path === this.#open));
      const small = button.lastElementChild;
      small.dataset.crWas ??= small.textContent;
      small.textContent = mark ? `${small.dataset.crWas.split(" · ")[0]} · ${WORDS[mark]}` : small.dataset.crWas;
    }
    if (this.#open && this.#marks[this.#open] === "gone") this.#close();
  }

  // A second press closes it.
  async press(button) {
    const path = button.parentElement.dataset.crPath;
    if (path === this.#open) return this.#close();
    this.#open = path;
    this.#draw();
    let told;
    try {
      told = await this.#files.preview(this.#cell, path);
    } catch (failure) {
      told = { kind: "none", why: failure.message };
    }
    if (this.#open !== path) return;
    this.#show(path, button.querySelector("span").textContent, told);
  }

  #close(focus = false) {
    const open = this.#chips().find((chip) => chip.dataset.crPath === this.#open);
    this.#open = "";
    this.#below.replaceChildren();
    open?.firstElementChild.setAttribute("aria-expanded", "false");
    if (focus) open?.firstElementChild.focus();
  }

  #show(path, name, told) {
    const address = this.#files.address(this.#cell, path);
    const close = make("button", { type: "button", title: "Close", ariaLabel: "Close the preview", onclick: () => this.#close(true) });
    close.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS.close}"/></svg>`;
    const head = make("div", { className: "cr-preview-head" }, make("b", { textContent: name }), ...elsewhere(told.at), close);
    const box = make("div", { className: "cr-preview", role: "region", ariaLabel: `Preview of ${name}` }, head, ...drawings[told.kind](told, name, address));
    this.#below.replaceChildren(box);
    box.scrollIntoView?.({ block: "nearest" });
  }
}

// Where else a person finds the file: on a server its page, on this machine its path.
function elsewhere(at) {
  if (!at) return [];
  if (/^https?:/.test(at)) {
    return [make("a", { href: at, target: "_blank", rel: "noopener noreferrer", textContent: "Open on the server" })];
  }
  const button = make("button", { type: "button", title: at, textContent: "Copy path" });
  button.onclick = () => copy(button, at);
  return [button];
}

const rest = (words) => (words ? [make("p", { className: "cr-preview-rest", textContent: words })] : []);

const drawings = {
  none: ({ why }) => rest(why),
  image: ({ source }, name) => [make("div", { className: "cr-preview-image" }, make("img", { src: source, alt: name }))],
  audio: (_told, name, src) => [make("audio", { controls: true, preload: "metadata", src, ariaLabel: name })],
  text: ({ text, cut }) => [make("pre", { tabIndex: 0, textContent: text }), ...rest(cut ? "This is its beginning; download it for all of it." : "")],
  table({ columns, rows, cut, columns_left: left, note }) {
    const row = (cells, name) => make("tr", {}, ...cells.map((textContent) => make(name, { textContent })));
    const table = make("table", {}, make("thead", {}, row(columns, "th")), make("tbody", {}, ...rows.map((cells) => row(cells, "td"))));
    const parts = [cut && `the first ${rows.length} rows`, left && `${columns.length} of ${columns.length + left} columns`];
    const words = parts.filter(Boolean).join(", ");
    return [...rest(note), make("div", { className: "cr-preview-table", tabIndex: 0 }, table), ...rest(words && `These are ${words}; download the file for all of it.`)];
  },
};
