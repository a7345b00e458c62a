// One block in a reply: code, outputs and bar, in a shadow root that the page around it cannot disturb.

import sheet from "../block.css";
import { copy } from "./acts.js";
import { Frame } from "./frame.js";
import { height, remember } from "./heights.js";
import { morph } from "./morph.js";
import { copyAll, download, large, tools } from "./tools.js";

const LOOK = new CSSStyleSheet();
LOOK.replaceSync(`:host { display: block; } *, ::before, ::after { box-sizing: border-box; } ${sheet}`);

const PLACES = ["code", "outs", "frame", "refused", "question", "read", "note", "bar", "again"];
const OURS = ["code", "refused", "question", "read", "bar", "again"];

// `line` and `acts` are one for the page; `roots` gets the shadow root of each block that is shown.
export const element = (line, acts, base, roots) => class extends HTMLElement {
  static observedAttributes = ["data-cr"];

  #root; #cell; #otherwise = document.createElement("slot"); #at; #tools = tools(); #parts = new Map(); #count = 0; #frame = null; #ticket = ""; #watched = "";
  #level = "scripts"; #chosen = ""; #head = null;

  constructor() {
    super();
    this.#root = this.attachShadow({ mode: "open" });
    this.#root.adoptedStyleSheets = [LOOK];
    const node = (name) => Object.assign(document.createElement("div"), { className: `cr-${name}` });
    this.#at = Object.fromEntries(PLACES.map((name) => [name, node(name === "outs" ? name : `at-${name}`)]));
    this.#cell = node("cell");
    this.#cell.role = "group";
    this.#cell.ariaLabel = "Code and its output";
    const row = node("row");
    row.append(this.#at.bar, this.#tools);
    const { again, bar: _, ...above } = this.#at;
    this.#cell.append(...Object.values(above), row, again);
    // Until something is told, and where nothing can be: what the host has put into the element.
    this.#root.append(this.#otherwise);
    acts.listen(this.#root, {
      copy: (button) => copy(button, this.#root.querySelector(".cr-code").textContent),
      "copy-output": (button) => copyAll(button, this.#shown()),
      download: () => download(this.#shown()),
      expand: (button) => this.#expand(button),
      large: (button) => large(this.#cell, button),
      scripts: () => this.#choose(),
      reload: () => { this.#note(); this.#frame?.again(); },
    });
    this.#root.addEventListener("keydown", ({ key }) => {
      if (key === "Escape" && this.#cell.popover) large(this.#cell, this.#button("large"));
      else if (key === "Escape") this.#tools.open = false;
    });
  }

  connectedCallback() {
    roots.add(this.#root);
    this.#begin();
  }

  disconnectedCallback() {
    roots.delete(this.#root);
    this.#end();
  }

  attributeChangedCallback(_name, before, now) {
    if (before === null || before === now || !this.isConnected) return;
    this.#end();
    // It stands for another block now: what was said and chosen was about the one before.
    this.#note();
    this.#chosen = "";
    this.#begin();
  }

  #begin() {
    this.#watched = this.dataset.cr ?? "";
    if (!/^[\w-]{16,64}$/.test(this.#watched)) return;
    if (!this.#cell.isConnected) this.style.minHeight = `${height(this.#watched)}px`;
    line.watch(this.#watched, this);
    if (this.#cell.hasAttribute("data-wide")) line.whole(this.#watched, true);
  }

  #end() {
    line.leave(this.#watched, this);
    this.#frame?.close();
    this.#frame = null;
    this.#parts.clear();
    this.#head = null;
  }

  #button(verb) { return this.#tools.querySelector(`[data-cr="${verb}"]`); }

  #shown() { return Array.from({ length: this.#count }, (_, at) => this.#parts.get(String(at))); }

  #expand(button) {
    const wide = this.#cell.toggleAttribute("data-wide");
    button.textContent = wide ? "Collapse" : "Expand";
    if (this.#frame) this.#frame.highest = wide ? 40_000 : null;
    line.whole(this.#watched, wide);
  }

  // A person decides for this block, until the page is loaded again.
  #choose() {
    this.#chosen = this.#frame?.level === "scripts" ? "still" : "scripts";
    this.#note();
    this.#inside(this.#count - this.#frame.count, this.#count);
  }

  // --- what the line tells

  receive(message) {
    this.#cell.classList.remove("cr-away");
    if (message.t === "gone") return this.#gone();
    const focused = this.#root.activeElement;
    // What is new is not for an element that was not told all: that is on its way.
    if (message.t === "more" && !this.#head) return;
    const { mood, level, outputs, framed } = this.#head = { ...this.#head, ...message };
    this.#cell.className = mood ? `cr-cell cr-${mood}` : "cr-cell";
    for (const [name, part] of Object.entries(message.parts)) this.#keep(name, part);
    for (const name of OURS) if (name in message.parts) morph(this.#at[name], this.#parts.get(name));
    this.#level = level;
    this.#count = outputs;
    this.#outputs(framed, message.parts);
    this.#tools.hidden = outputs === 0;
    this.#inside(framed, outputs);
    if (!this.#cell.isConnected) this.#root.replaceChildren(this.#cell);
    this.#ask(focused);
    this.style.minHeight = "";
    requestAnimationFrame(() => remember(this.#watched, this.offsetHeight));
  }

  // What acts stays the same object while it is the same: it is not drawn anew when all is told again.
  #keep(name, part) {
    const known = this.#parts.get(name);
    if (part.keep) {
      const [head, tail] = part.keep;
      part = known.slice(0, head) + part.new + known.slice(known.length - tail);
    }
    const same = typeof part === "object" && JSON.stringify(known) === JSON.stringify(part);
    if (!same) this.#parts.set(name, part);
  }

  parcel(bytes) { this.#frame?.parcel(bytes); }

  lost() {
    this.#cell.classList.add("cr-away");
  }

  #gone() {
    this.style.minHeight = "";
    this.#root.replaceChildren(this.#otherwise);
  }

  // Those before the first that acts.
  #outputs(count, fresh) {
    const { outs } = this.#at;
    while (outs.childElementCount > count) outs.lastElementChild.remove();
    for (let at = 0; at < count; at += 1) {
      const there = outs.children[at] ?? outs.appendChild(Object.assign(document.createElement("div"), { className: "cr-piece" }));
      if (String(at) in fresh || !there.hasChildNodes()) morph(there, this.#parts.get(String(at)));
    }
  }

  // All from the first that acts on.
  #inside(first, count) {
    this.#button("scripts").hidden = first === count;
    if (first === count) {
      this.#frame?.close();
      this.#frame = null;
      return;
    }
    const items = [];
    for (let at = first; at < count; at += 1) items.push(this.#parts.get(String(at)));
    this.#frame ??= new Frame(this.#at.frame, this.#watched, base, {
      link: (url) => this.#link(url),
      file: (path) => this.#file(path),
      stopped: (why) => this.#halted(why),
      widgets: () => line.widgets(this.#watched),
      parcel: (bytes) => line.parcel(this.#watched, bytes),
    });
    this.#frame.level = this.#chosen || this.#level;
    this.#button("scripts").textContent = this.#frame.level === "scripts" ? "Disable scripts" : "Enable scripts";
    this.#frame.show(items);
  }

  // A new question takes the cursor from nobody who types; what was typed for one is not for the next one.
  #ask(focused) {
    const form = this.#root.querySelector("form[data-cr-ticket]");
    const ticket = form?.dataset.crTicket ?? "";
    if (ticket === this.#ticket) return;
    this.#ticket = ticket;
    if (!form) return;
    const { answer } = form.elements, busy = document.activeElement;
    answer.value = "";
    const free = !busy || busy === document.body || busy.localName === this.localName
      || (busy.matches("textarea, input") && !busy.value);
    if (free || focused) answer.focus({ preventScroll: true });
  }

  #halted(why) {
    const again = Object.assign(document.createElement("button"), { type: "button", textContent: "Reload" });
    again.dataset.cr = "reload";
    this.#note(`Output stopped. ${why} `, again);
  }

  #link(url) {
    this.#note(`The output links to ${url} `, this.#away(url, "Open"));
  }

  // Where the page gives no files, it says where they are.
  #file(path) {
    const address = window.coderunner?.file?.(path);
    if (address) this.#note(`The output links to the file ${path} `, this.#away(address, "Download"));
    else this.#note(`The output links to the file ${path}, which is in the folder of the kernel.`);
  }

  #away(url, text) {
    const open = Object.assign(document.createElement("a"), {
      href: url, target: "_blank", rel: "noopener noreferrer", textContent: text, className: "cr-link",
    });
    open.onclick = () => this.#note();
    return open;
  }

  #note(...what) {
    this.#at.note.replaceChildren(...what.filter(Boolean));
  }
};
