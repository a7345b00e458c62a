// What programs say to widgets beside their states, in order and once. Much of it is said before anything is drawn
// here, and only what is drawn listens: so it waits for the views that are being made.

const PATIENCE = 1500; // milliseconds for a view, of a model that may never get one here

export class Said {
  making = 0; // views that are on their way
  #drawn; #last = new Map(); #held = []; #flowing = false; #wake = () => {};

  // `drawn(id)` tells whether a model has all that could listen.
  constructor(drawn) { this.#drawn = drawn; }

  take(message) {
    const { id, number, answers, tell } = message;
    if (number && number <= (this.#last.get(id) ?? 0)) return; // told again after a cut
    this.#last.set(id, number);
    // Who asked from here listens, and a view may be made of the answer.
    if (answers) return tell();
    this.#held.push({ ...message, until: performance.now() + PATIENCE });
    if (!this.#flowing) this.#flow();
  }

  news() { this.#wake(); }

  async #flow() {
    this.#flowing = true;
    while (this.#held.length) {
      const { id, until, tell } = this.#held[0];
      while (performance.now() < until && !await this.#ready(id, until)) await this.#news(until);
      this.#held.shift();
      tell();
    }
    this.#flowing = false;
  }

  async #ready(id, until) {
    const drawn = this.#drawn(id).catch(() => true); // a model that failed listens no better later
    return this.making === 0 && Promise.race([drawn, pause(until)]);
  }

  #news(until) {
    return Promise.race([pause(until), new Promise((done) => { this.#wake = done; })]);
  }
}

const pause = (until) => new Promise((done) => { setTimeout(done, until - performance.now(), false); });
