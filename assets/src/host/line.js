// The page's one socket to the server: who watches which block, and what comes for them.

import { Order } from "./order.js";

const SOON = 300, LATEST = 8000; // milliseconds until the next try to connect

export class Line {
  #address; #token; #socket = null; #open = false; #wait = SOON;
  #watching = new Map(); // id -> listeners
  #widgets = new Set(); // ids of those whose widgets are shown
  #whole = new Set(); // ids of those whose long texts are
  #order = new Order((cell) => this.#ask(cell));

  constructor(base, token) {
    this.#address = new URL("socket", base).href.replace(/^http/, "ws");
    this.#token = token;
  }

  watch(cell, listener) {
    const listeners = this.#watching.get(cell);
    if (listeners) listeners.add(listener);
    else this.#watching.set(cell, new Set([listener]));
    if (!this.#socket) this.#connect();
    // Also where others watch it: whoever comes later wants the whole.
    else if (this.#open) this.#order.add(cell, listener);
  }

  leave(cell, listener) {
    const listeners = this.#watching.get(cell);
    listeners?.delete(listener);
    this.#order.leave(listener);
    if (listeners?.size === 0) {
      this.#watching.delete(cell);
      this.#widgets.delete(cell);
      this.#whole.delete(cell);
      this.#say({ t: "leave", cell });
      this.#order.arrived(cell);
    }
  }

  #ask(cell) {
    this.#say({ t: "watch", cell });
    if (this.#widgets.has(cell)) this.#say({ t: "widgets", cell });
    if (this.#whole.has(cell)) this.#say({ t: "whole", cell });
  }

  // Has long texts of a block drawn to their end, or no more.
  whole(cell, is) {
    this.#whole[is ? "add" : "delete"](cell);
    this.#say({ t: is ? "whole" : "part", cell });
  }

  // Has parcels come for the widgets of a block: all that there is, then what changes.
  widgets(cell) {
    this.#widgets.add(cell);
    this.#say({ t: "widgets", cell });
  }

  parcel(cell, bytes) {
    if (!this.#open) return;
    // Put together here: a Blob would be read by another process first.
    const name = new TextEncoder().encode(cell), whole = new Uint8Array(1 + name.length + bytes.byteLength);
    whole[0] = name.length;
    whole.set(name, 1);
    whole.set(new Uint8Array(bytes), 1 + name.length);
    this.#socket.send(whole);
  }

  #say(message) {
    if (this.#open) this.#socket.send(JSON.stringify(message));
  }

  #connect() {
    const socket = this.#socket = new WebSocket(this.#address, ["coderunner", this.#token]);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#open = true;
      this.#wait = SOON;
      for (const [cell, listeners] of this.#watching) for (const each of listeners) this.#order.add(cell, each);
    };
    socket.onmessage = ({ data }) => {
      if (typeof data !== "string") return this.#deliver(data);
      const message = JSON.parse(data);
      for (const listener of this.#watching.get(message.cell) ?? []) listener.receive(message);
      this.#order.arrived(message.cell);
    };
    socket.onclose = () => {
      this.#open = false;
      this.#order.forget();
      for (const listeners of this.#watching.values()) for (const each of listeners) each.lost();
      setTimeout(() => this.#connect(), this.#wait);
      this.#wait = Math.min(this.#wait * 2, LATEST);
    };
  }
  #deliver(data) {
    const [length] = new Uint8Array(data), cell = String.fromCharCode(...new Uint8Array(data, 1, length));
    for (const listener of this.#watching.get(cell) ?? []) listener.parcel(data.slice(1 + length));
  }
}
