// The texts of a block that runs stay at their ends while more comes, unless a person has scrolled one up; from its end
// it goes on.

const NEAR = 24; // pixels from the end that are the end, too: about a line

export class Ends {
  #left = new WeakSet(); #put = new WeakMap(); #root;

  constructor(root) {
    this.#root = root;
    root.addEventListener("scroll", ({ target }) => {
      if (!target.matches(".cr-text")) return;
      if (target.scrollHeight - target.scrollTop - target.clientHeight < NEAR) this.#left.delete(target);
      // What has grown since it was put at its end was not scrolled.
      else if (target.scrollTop < this.#put.get(target)) this.#left.add(target);
    }, { capture: true, passive: true });
  }

  // Before the page is drawn, where it is laid out in any case.
  follow() {
    for (const text of this.#root.querySelectorAll(".cr-outs .cr-text")) {
      if (this.#left.has(text)) continue;
      text.scrollTop = text.scrollHeight;
      this.#put.set(text, text.scrollTop);
    }
  }
}
