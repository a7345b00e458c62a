// A person changes the code of a block and runs it. What was typed outlives a reload of the page.

const KEPT = "coderunner-draft:";

const drafts = {
  of: (id) => { try { return sessionStorage.getItem(KEPT + id); } catch { return null; } },
  keep: (id, text) => { try { sessionStorage.setItem(KEPT + id, text); } catch { /* no room, or no storage */ } },
  drop: (id) => { try { sessionStorage.removeItem(KEPT + id); } catch { /* no storage */ } },
};

let loading = null;

// The editor itself comes with the first use; what could not be loaded is tried again.
const load = (base) => {
  const url = new URL("public/editor.js", base);
  url.search = new URL(import.meta.url).search;
  loading ??= import(url.href).catch((error) => { loading = null; throw error; });
  return loading;
};

const HINT = "Ctrl+Enter runs it, Esc leaves it";
const BUSY = "This block is running. Wait for its end, or stop it; then run your code.";
const bar = `<span class="cr-hint" role="status"></span><span class="cr-grow">
  <button type="button" data-cr="leave-editor">Cancel</button>
  <button type="button" data-cr="run-edited" class="cr-main">Run</button></span>`;
const question = `<span class="cr-hint" role="status">Discard your changes?</span><span class="cr-grow">
  <button type="button" data-cr="keep-editing">Keep editing</button>
  <button type="button" data-cr="discard">Discard</button></span>`;

// Shows the end of a block, with the run below it, while it grows: until a person does something of their own.
let shown = () => {};
function showEnd(block) {
  shown();
  const bar = (of) => {
    const again = of.shadowRoot.querySelector(".cr-again > *");
    return again?.shadowRoot ? bar(again) : of.shadowRoot.querySelector(".cr-at-bar");
  };
  const sizes = new ResizeObserver(() => bar(block)?.scrollIntoView({ block: "nearest" }));
  const person = new AbortController();
  shown = () => { sizes.disconnect(); person.abort(); };
  for (const kind of ["wheel", "touchmove", "pointerdown", "keydown"]) {
    addEventListener(kind, shown, { capture: true, passive: true, signal: person.signal });
  }
  sizes.observe(block.shadowRoot.querySelector(".cr-cell"));
}

export class Editing {
  #root; #cell; #place; #base; #acts; #editor = null; #before = ""; #id = ""; #bar = null; #opening = false;

  // `place` is where it stands in `cell`, whose code it hides; both are in `root`.
  constructor(root, cell, place, base, acts) {
    [this.#root, this.#cell, this.#place, this.#base, this.#acts] = [root, cell, place, base, acts];
    cell.tabIndex = -1;
  }

  // What buttons in the block do.
  get verbs() {
    return {
      change: () => this.open(),
      "leave-editor": () => this.leave(),
      "keep-editing": () => { this.#say(); this.#editor?.focus(); },
      discard: () => this.#close(true),
      "run-edited": () => this.#run(),
    };
  }

  // The block is drawn: a draft of it, if there is one, is shown again.
  drawn(id) {
    this.#id = id;
    if (this.#editor || this.#opening || drafts.of(id) === null || !this.#button()) return;
    this.open(drafts.of(id), false);
  }

  // The element stands for another block.
  forget() { this.#close(false); }

  #button() { return this.#root.querySelector('.cr-bar button[data-cr="change"]'); }

  async open(draft = null, focus = true) {
    const code = this.#root.querySelector(".cr-code"), id = this.#id;
    if (!code || this.#opening) return;
    if (this.#editor) return this.#editor.focus();
    this.#opening = true;
    try {
      const { create } = await load(this.#base);
      if (id !== this.#id) return;
      this.#before = code.textContent.replace(/\n+$/, "");
      const parent = Object.assign(document.createElement("div"), { className: "cr-editor" });
      this.#bar = Object.assign(document.createElement("div"), { className: "cr-bar cr-editbar" });
      this.#place.replaceChildren(parent, this.#bar);
      this.#cell.toggleAttribute("data-editing", true);
      this.#editor = create({
        parent, root: this.#root, text: draft ?? this.#before, isPython: "crPython" in (this.#button()?.dataset ?? {}),
        label: "Code of the block", run: () => this.#run(), leave: () => this.leave(),
        changed: (text) => (text === this.#before ? drafts.drop(id) : drafts.keep(id, text)),
        ...this.#kernel(),
      });
      this.#say();
      if (focus) {
        this.#tell(true);
        this.#editor.focus();
        this.#place.scrollIntoView({ block: "nearest" });
      }
    } catch {
      this.#place.textContent = "The editor did not load. Try again, or reload the page.";
    } finally {
      this.#opening = false;
    }
  }

  // What the kernel knows of names, while it is idle.
  #kernel() {
    const ask = async (kind, code, at) => {
      const { crTicket: ticket } = this.#button()?.dataset ?? {};
      return ticket ? this.#acts.ask("look-up", { ticket, kind, code, at }) : {};
    };
    return {
      complete: async (code, at) => ask("complete", code, at),
      inspect: async (code, at) => (await ask("inspect", code, at)).text,
    };
  }

  // Asks first, where something would be lost.
  leave() {
    if (!this.#editor) return;
    if (this.#editor.text === this.#before) return this.#close(true);
    this.#bar.innerHTML = question;
    this.#bar.querySelector("button").focus();
  }

  #say(words = HINT) {
    if (!this.#bar) return;
    this.#bar.innerHTML = bar;
    this.#bar.firstChild.textContent = words;
  }

  // Why it did not run, until a block has ended: then it may.
  #refuse(words) {
    this.#say(words);
    const shown = this.#bar?.firstChild;
    document.addEventListener("coderunner-ended", () => { if (shown?.isConnected) shown.textContent = HINT; }, { once: true });
  }

  // Whether the code below it, which a person has started, runs: perhaps in another tab.
  #running() {
    const again = this.#root.querySelector(".cr-again > *")?.shadowRoot;
    return !this.#button() || Boolean(again?.querySelector(".cr-cell.cr-run"));
  }

  async #run() {
    const button = this.#button(), { text } = this.#editor ?? {};
    if (text === undefined) return;
    if (this.#running()) return this.#refuse(BUSY);
    if (!text.trim()) return this.#say("There is no code to run.");
    const { crTicket: ticket, crThen: act } = button.dataset;
    const { taken, error } = await this.#acts.send({ ticket, act, code: text });
    if (!taken) return this.#refuse(error || "This did not reach the app. Try again.");
    this.#close(true, false);
    const { host } = this.#root;
    showEnd(host.getRootNode().host ?? host);
    this.#root.dispatchEvent(new CustomEvent("coderunner-taken", { bubbles: true, composed: true, detail: { act } }));
  }

  // For a page that follows what grows at its end.
  #tell(open) {
    this.#root.dispatchEvent(new CustomEvent("coderunner-editing", { bubbles: true, composed: true, detail: { open } }));
  }

  // `done`: nobody wants the draft any more.
  #close(done, stays = true) {
    if (done) drafts.drop(this.#id);
    const had = this.#editor !== null;
    this.#editor?.close();
    this.#editor = this.#bar = null;
    this.#place.replaceChildren();
    this.#cell.removeAttribute("data-editing");
    if (had) this.#tell(false);
    // Where the cursor was: the button may be gone by the time that the block is drawn anew.
    if (had && done) (stays ? this.#button() : this.#cell)?.focus({ preventScroll: true });
  }
}
