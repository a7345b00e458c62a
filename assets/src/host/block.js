// One block in a reply: code, outputs and bar, in a shadow root that the page around it cannot disturb.

import sheet from "../block.css";
import { copy } from "./acts.js";
import { bring } from "./beside.js";
import { box, unbox } from "./box.js";
import { Chips } from "./files.js";
import { Editing } from "./edit.js";
import { Ends } from "./ends.js";
import { foreseen } from "./foresee.js";
import { Frame } from "./frame.js";
import { height, remember } from "./heights.js";
import { keepInside } from "./keys.js";
import { morph } from "./morph.js";
import { copyAll, download, large, tools } from "./tools.js";

const LOOK = new CSSStyleSheet();
LOOK.replaceSync(`:host { display: block; } *, ::before, ::after { box-sizing: border-box; } ${sheet}`);

const PLACES = ["code", "editor", "outs", "frame", "missing", "files", "preview", "refused", "question", "read", "note", "bar", "again"];
const BUSY = /^(write|wait|run)\b/; // of a block that has not ended
const ENDED = new Set(); // the blocks of this page whose end was told
const OURS = ["code", "files", "refused", "question", "read", "bar", "again"];

// Loaded with the first output that cannot be shown.
let loaded = null;
const sentences = () => loaded ??= bring("missing.js");

// The blocks of which a person has unfolded the code or the outputs, until the page is loaded again.
const unfolded = { code: new Set(), outs: new Set() };

// The tickets of what a person does not want now, as long: a card that is drawn anew does not come back.
const later = new Set();

// `line`, `acts`, `files` and `loaders` are one for the page; `roots` gets the shadow root of each block that is shown.
// `frames` is how their frames are opened, and what gives their programs where they load none: {open, program}.
export const element = (line, acts, files, loaders, base, roots, frames) => class extends HTMLElement {
  static observedAttributes = ["data-cr"];

  #root; #cell; #otherwise = document.createElement("slot"); #at; #tools = tools(); #parts = new Map(); #count = 0; #frame = null; #ticket = ""; #watched = "";
  #level = "scripts"; #chosen = ""; #head = null; #chips; #editing; #missing = new WeakMap(); #items = []; #uses = null; #ends;
  #links = { link: (url) => this.#link(url), file: (path) => this.#file(path) };

  constructor() {
    super();
    this.#root = this.attachShadow({ mode: "open" });
    this.#root.adoptedStyleSheets = [LOOK];
    const node = (name) => Object.assign(document.createElement("div"), { className: `cr-${name}` });
    this.#at = Object.fromEntries(PLACES.map((name) => [name, node(name === "outs" ? name : `at-${name}`)]));
    this.#cell = node("cell");
    this.#cell.role = "group";
    this.#cell.ariaLabel = "Code and its output";
    this.#chips = new Chips(files, this.#at.files, this.#at.preview);
    const row = node("row");
    row.append(this.#at.bar, this.#tools);
    const { again, bar: _, ...above } = this.#at;
    this.#cell.append(...Object.values(above), row, again);
    // Until something is told, and where nothing can be: what the host has put into the element.
    this.#root.append(this.#otherwise);
    this.#ends = new Ends(this.#root);
    this.#editing = new Editing(this.#root, this.#cell, this.#at.editor, base, acts);
    acts.listen(this.#root, {
      ...this.#editing.verbs,
      unfold: () => this.#unfold("code"),
      later: (button) => {
        later.add(this.#button("allow", button.closest(".cr-question")).dataset.crTicket);
        this.#later();
      },
      copy: (button) => copy(button, this.#root.querySelector(".cr-code").textContent),
      "copy-output": (button) => copyAll(button, this.#shown()),
      download: () => download(this.#shown()),
      expand: () => this.#unfold("outs"),
      preview: (button) => this.#chips.press(button),
      large: (button) => large(this.#cell, button),
      scripts: () => this.#choose(),
      reload: () => { this.#note(); this.#frame?.again(); },
    });
    this.#root.addEventListener("keydown", (event) => {
      const { key, target } = event;
      if (key === "Enter" && target.matches(".cr-code") && !event.defaultPrevented && this.#button("change", this.#at.bar)) {
        event.preventDefault();
        this.#editing.open();
      } else if (key === "Escape" && target.closest(".cr-at-editor")) this.#editing.leave();
      else if (key === "Escape" && this.#cell.popover) large(this.#cell, this.#button("large"));
      else if (key === "Escape") this.#tools.open = false;
      keepInside(event);
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
    this.#editing.forget();
    this.#begin();
  }

  #begin() {
    this.#watched = this.dataset.cr ?? "";
    if (!/^[\w-]{16,64}$/.test(this.#watched)) return;
    if (!this.#cell.isConnected) this.style.minHeight = `${height(this.#watched)}px`;
    line.watch(this.#watched, this);
    this.#cell.toggleAttribute("data-unfolded", unfolded.code.has(this.#watched));
    this.#widen(unfolded.outs.has(this.#watched));
  }

  #end() {
    line.leave(this.#watched, this);
    this.#chips.leave();
    this.#frame?.close();
    this.#frame = null;
    this.#parts.clear();
    this.#head = null;
  }

  get #runs() { return /^run\b/.test(this.#head?.mood); }

  #button(verb, place = this.#tools) { return place.querySelector(`[data-cr="${verb}"]`); }

  #shown() { return Array.from({ length: this.#count }, (_, at) => this.#parts.get(String(at))); }

  // Shows the middle of what is long, or hides it.
  #unfold(what) {
    const names = unfolded[what], id = this.#watched;
    if (!names.delete(id)) names.add(id);
    if (what === "outs") this.#widen(names.has(id));
    this.#cell.toggleAttribute("data-unfolded", unfolded.code.has(id));
    this.#folds();
    const pressed = this.#root.activeElement;
    // The button at the beginning of what was seen went with it.
    if (pressed?.matches(".cr-fewer")) pressed.parentElement.querySelector(".cr-unfold:not(.cr-fewer)")?.focus({ preventScroll: true });
  }

  #widen(wide) {
    const before = this.#cell.hasAttribute("data-wide");
    this.#cell.toggleAttribute("data-wide", wide);
    this.#button("expand").textContent = wide ? "Collapse" : "Expand";
    if (this.#frame) this.#frame.highest = wide ? 40_000 : null;
    if (wide || before) line.whole(this.#watched, wide);
  }

  #later() {
    for (const card of this.#root.querySelectorAll(".cr-packages")) {
      card.hidden = later.has(this.#button("allow", card)?.dataset.crTicket);
    }
  }

  #folds() {
    for (const button of this.#root.querySelectorAll(".cr-unfold:not(.cr-fewer)")) {
      const open = this.#cell.hasAttribute(button.dataset.cr === "unfold" ? "data-unfolded" : "data-wide");
      button.ariaExpanded = String(open);
      button.ariaLabel = open ? "Show fewer lines" : `Show ${button.dataset.crLines}`;
    }
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
    const focused = this.#root.activeElement, ran = this.#runs;
    // What is new is not for an element that was not told all: that is on its way.
    if (message.t === "more" && !this.#head) return;
    const { mood, level, outputs, framed } = this.#head = { ...this.#head, ...message };
    // For what shows the kernel's files or variables: once for each run, also of a block that had ended before it was drawn.
    if (BUSY.test(mood)) ENDED.delete(this.#watched);
    else if (!ENDED.has(this.#watched)) {
      ENDED.add(this.#watched);
      document.dispatchEvent(new CustomEvent("coderunner-ended"));
    }
    this.#cell.className = mood ? `cr-cell cr-${mood}` : "cr-cell";
    for (const [name, part] of Object.entries(message.parts)) this.#keep(name, part);
    for (const name of OURS) if (name in message.parts) morph(this.#at[name], this.#parts.get(name));
    if ("files" in message.parts) this.#chips.drawn(this.#watched);
    if ("code" in message.parts) this.#uses = null;
    this.#level = level;
    this.#count = outputs;
    this.#outputs(framed, message.parts);
    this.#tools.hidden = outputs === 0;
    if (!this.#cell.isConnected) this.#root.replaceChildren(this.#cell);
    this.#inside(framed, outputs);
    this.#folds();
    this.#later();
    this.#editing.drawn(this.#watched);
    // Whoever pressed a button that is gone is still here.
    if (focused && !focused.isConnected) this.#cell.focus({ preventScroll: true });
    this.#ask(focused);
    this.style.minHeight = "";
    const follows = ran || this.#runs;
    requestAnimationFrame(() => {
      if (follows) this.#ends.follow();
      remember(this.#watched, this.offsetHeight);
    });
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
      const part = this.#parts.get(String(at));
      if (!(String(at) in fresh) && there.hasChildNodes()) continue;
      if (typeof part === "string") {
        unbox(there);
        morph(there, part);
      } else box(there, part, this.#links);
    }
  }

  // The program of a frame that a block which runs is likely to need, as long as it has not shown anything that acts.
  #foreseen() {
    return this.#runs || (this.#frame && BUSY.test(this.#head.mood)) ? this.#uses ??= foreseen(this.#at.code.textContent) : "";
  }

  // All from the first that acts on.
  #inside(first, count) {
    this.#button("scripts").hidden = first === count;
    const none = first === count, ahead = none ? this.#foreseen() : "";
    if (none && (this.#frame?.count || !ahead)) {
      this.#frame?.close();
      this.#frame = null;
      this.#items = [];
      this.#lacks();
      return;
    }
    const items = this.#items = [];
    for (let at = first; at < count; at += 1) items.push(this.#parts.get(String(at)));
    if (!this.#frame?.count && this.#head.omitted) this.#note(this.#head.omitted);
    this.#frame ??= new Frame(this.#at.frame, this.#watched, frames.open, {
      ...this.#links,
      program: frames.program,
      stopped: (why) => this.#halted(why),
      missing: async (item, what) => {
        const { checked, found, told } = await sentences();
        const said = told(checked(what));
        this.#missing.set(item, said);
        if (said?.path) said.there = await found(window.coderunner?.file?.(said.path));
        this.#lacks();
      },
      afresh: () => { this.#items.forEach((item) => typeof item === "object" && this.#missing.delete(item)); this.#lacks(); },
      widgets: () => line.widgets(this.#watched),
      parcel: (bytes) => line.parcel(this.#watched, bytes),
      loaders,
    });
    this.#frame.foreseen = ahead;
    this.#frame.loaders = this.#head.loaders;
    this.#frame.level = this.#chosen || this.#level;
    this.#button("scripts").textContent = this.#frame.level === "scripts" ? "Disable scripts" : "Enable scripts";
    this.#frame.show(items);
    this.#lacks();
  }

  // What outputs cannot show here: a sentence for each, which stays while the output does.
  #lacks() {
    const rows = this.#items.flatMap((item, at) => {
      const said = typeof item === "object" ? this.#missing.get(item) : null;
      return said ? [this.#lack(said, item, this.#count > 1 ? `Output ${this.#count - this.#items.length + at + 1}: ` : "")] : [];
    });
    if (rows.length || this.#at.missing.hasChildNodes()) this.#at.missing.replaceChildren(...rows);
  }

  #lack({ text, absent, url, path, there, whole }, item, which) {
    const row = Object.assign(document.createElement("p"), { textContent: `${which}${there === false ? absent : text} `, role: "note" });
    if (url) row.append(this.#away(url, "Open it"));
    else if (there) row.append(this.#away(window.coderunner.file(path), "Download it"));
    else if (path && there === null) row.append("Look for it in the folder of the kernel.");
    else if (whole && item.kind === "text/html") {
      row.append(Object.assign(document.createElement("button"), { type: "button", textContent: "Save it as a page", onclick: () => download([item]) }));
    }
    return row;
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
    else this.#note(`The output links to the file ${path}: look for it in the folder of the kernel.`);
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
