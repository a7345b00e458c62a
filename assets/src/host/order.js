// In which order a page asks for its blocks: at once for those that are in view or nearly so, then for the others, from
// the end of the page to its beginning, a few at a time and while nothing else is to be done. So a long conversation is
// there soon, and all of it can be found, copied and printed a little later.

const FEW = 6; // blocks; a page with no more of them asks for all at once
const BATCH = 4; // blocks that are asked for together later
const NEAR = "600px"; // how far from what is seen a block is drawn at once
const PAUSE = 300, LATEST = 1000; // milliseconds after the last ones in view, and until the next at most

const GUESS = "320px"; // the height of one that is not known yet

// How far the middle of a block is from the middle of the page.
const away = ({ boundingClientRect: { top, bottom } }) => Math.abs((top + bottom - innerHeight) / 2);

const idle = window.requestIdleCallback ?? ((then) => setTimeout(then, 50));

export class Order {
  #ask; #waits = new Map(); #coming = new Set(); #fresh = false; #later = 0; #pause = PAUSE;
  #near = new IntersectionObserver((entries) => {
    const now = entries.filter((each) => each.isIntersecting).sort((one, other) => away(one) - away(other));
    for (const { target } of now) this.#take(target);
    this.#pause = PAUSE;
    this.#go();
  }, { rootMargin: NEAR, scrollMargin: NEAR });

  // `ask` is called with the id of each block when its turn has come.
  constructor(ask) { this.#ask = ask; }

  add(cell, element) {
    this.#waits.set(element, cell);
    if (this.#fresh) return;
    this.#fresh = true;
    // Once all elements that come together are there.
    queueMicrotask(() => this.#sort());
  }

  leave(element) {
    this.#waits.delete(element);
    this.#near.unobserve(element);
  }

  // The answer about a block has come.
  arrived(cell) {
    this.#coming.delete(cell);
    this.#go();
  }

  // What was asked for is not answered any more.
  forget() { this.#coming.clear(); }

  #sort() {
    this.#fresh = false;
    const all = [...this.#waits.keys()];
    if (all.length <= FEW) for (const element of all) this.#take(element);
    else for (const element of all) this.#wait(element);
    this.#go();
  }

  #wait(element) {
    if (!Number.parseInt(element.style.minHeight, 10)) element.style.minHeight = GUESS;
    this.#near.observe(element);
  }

  #take(element) {
    const cell = this.#waits.get(element);
    if (cell === undefined) return;
    this.leave(element);
    this.#coming.add(cell);
    this.#ask(cell);
  }

  #go() {
    if (this.#later || this.#coming.size || !this.#waits.size) return;
    this.#later = setTimeout(() => idle(() => {
      this.#later = 0;
      for (const element of [...this.#waits.keys()].slice(-BATCH).reverse()) this.#take(element);
    }, { timeout: LATEST }), this.#pause);
    this.#pause = 0;
  }
}
