// What earlier blocks of the conversation loaded, by names that have its hash: asked for once for the whole page.

const WHOLE = 64e6; // characters that are kept; two conversations' worth

export class Loaders {
  #base; #token; #texts = new Map(); #sizes = new Map(); #harmful = new Set();

  constructor(base, token) {
    this.#base = base;
    this.#token = token;
  }

  // A frame hung while it ran that one: no other is to.
  shun(name) { this.#harmful.add(name); }

  // Gives those that there are, in order.
  async get(names) {
    const wanted = names.filter((name) => !this.#harmful.has(name));
    const texts = await Promise.all(wanted.map((name) => this.#text(name)));
    return wanted.map((name, at) => ({ name, text: texts[at] })).filter(({ text }) => text !== null);
  }

  #text(name) {
    const known = this.#texts.get(name) ?? this.#ask(name);
    // The last one used is the last one forgotten.
    this.#texts.delete(name);
    this.#texts.set(name, known);
    return known;
  }

  async #ask(name) {
    const response = await fetch(new URL(`loaders/${name}`, this.#base), { headers: { "X-CodeRunner-Token": this.#token } }).catch(() => null);
    if (!response?.ok) {
      this.#texts.delete(name); // it may be there later
      return null;
    }
    const text = await response.text();
    this.#sizes.set(name, text.length);
    this.#bound();
    return text;
  }

  #bound() {
    let sum = 0;
    for (const name of [...this.#texts.keys()].reverse()) {
      sum += this.#sizes.get(name) ?? 0;
      if (sum <= WHOLE) continue;
      this.#texts.delete(name);
      this.#sizes.delete(name);
    }
  }
}
