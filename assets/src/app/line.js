// The page's line to the server, as `host/line.js` has it, over the calls of a tool: one waits for what comes, others
// say something meanwhile.

const SOON = 500, LATEST = 8000; // milliseconds until the next try
const MOST = 500; // messages in a call

const encoded = (bytes) => {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
};
const decoded = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0)).buffer;

export class ToolLine {
  #call; #id = ""; #cell = ""; #listener = null; #going = false; #wants = new Set(); #said = []; #saying = false;

  // `call(arguments)` calls the tool and gives its answer; it fails where there is none.
  constructor(call) { this.#call = call; }

  watch(cell, listener) {
    [this.#cell, this.#listener] = [cell, listener];
    this.#go();
  }

  leave() { this.#cell = ""; }

  widgets() { this.#want("widgets", true); }

  whole(_cell, is) { this.#want("whole", is); }

  parcel(cell, bytes) {
    const name = new TextEncoder().encode(cell), all = new Uint8Array(1 + name.length + bytes.byteLength);
    all[0] = name.length;
    all.set(name, 1);
    all.set(new Uint8Array(bytes), 1 + name.length);
    this.#say({ bytes: encoded(all) });
  }

  #want(what, is) {
    const says = is ? what : "part";
    if (is) this.#wants.add(what);
    else this.#wants.delete(what);
    if (this.#going) this.#say(this.#message(says));
    else this.#go();
  }

  #message(t) { return { text: JSON.stringify({ t, cell: this.#cell }) }; }

  #say(message) {
    this.#said.push(message);
    if (this.#going) this.#flush();
    else this.#go();
  }

  // What is said while a call is under way goes with the next one, in order.
  async #flush() {
    if (this.#saying || !this.#id) return;
    this.#saying = true;
    try {
      while (this.#id && this.#said.length) await this.#call({ line: this.#id, say: this.#said.splice(0, MOST) });
    } catch {
      this.#said = []; // the call that waits finds out, and begins again
    }
    this.#saying = false;
  }

  // Until nothing more can come.
  async #go() {
    if (this.#going) return;
    this.#going = true;
    let wait = SOON;
    while (this.#cell) {
      try {
        if (!this.#id) await this.#open();
        const { messages, over } = await this.#call({ line: this.#id, wait: this.#cell });
        wait = SOON;
        for (const message of messages) this.#deliver(message);
        if (over && !messages.length && !this.#said.length) break;
      } catch {
        this.#id = "";
        this.#said = [];
        this.#listener.lost();
        await new Promise((done) => setTimeout(done, wait));
        wait = Math.min(wait * 2, LATEST);
      }
    }
    this.#id = "";
    this.#going = false;
  }

  async #open() {
    const say = ["watch", ...this.#wants].map((each) => this.#message(each));
    this.#id = (await this.#call({ say })).line;
    this.#flush();
  }

  #deliver({ text, bytes }) {
    if (text) this.#listener.receive(JSON.parse(text));
    else {
      const all = decoded(bytes);
      this.#listener.parcel(all.slice(1 + new Uint8Array(all, 0, 1)[0]));
    }
  }
}
