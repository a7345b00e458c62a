// The closed frame of a block, as its page sees it. Nothing secret goes in; what comes out is a stranger's.

import { height, remember } from "./heights.js";

const HIGHEST = 4000; // pixels; what is higher scrolls inside

const SHOWN = new Set();

export class Frame {
  #place; #cell; #base; #hooks; #node = null; #port = null; #items = []; #loads = 0;

  // `hooks`: link(url) and stopped(why).
  constructor(place, cell, base, hooks) {
    this.#place = place;
    this.#cell = cell;
    this.#base = base;
    this.#hooks = hooks;
  }

  get mounted() { return this.#node !== null; }

  // Shows `items`, in order: HTML of ours, or what acts. Only what is another object is drawn again.
  show(items) {
    const fresh = items.map((item, at) => (item === this.#items[at] ? null : item));
    this.#items = items;
    if (this.#node === null) this.mount();
    else this.#port?.postMessage({ t: "draw", count: items.length, fresh });
  }

  mount() {
    const node = this.#node = document.createElement("iframe");
    node.sandbox = "allow-scripts";
    node.src = new URL("public/scripts/shell.html", this.#base).href;
    node.referrerPolicy = "no-referrer";
    node.allow = "";
    node.title = "Output";
    node.style.height = `${height(`${this.#cell} frame`) || 24}px`;
    this.#loads = 0;
    node.onload = () => this.#open();
    this.#place.replaceChildren(node);
    SHOWN.add(this);
  }

  unmount() {
    this.#port?.close();
    this.#node?.remove();
    this.#port = this.#node = null;
    SHOWN.delete(this);
  }

  #open() {
    this.#loads += 1;
    if (this.#loads > 1) return this.stop("It tried to leave its place.");
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }) => this.#hear(data);
    // "*" because a closed frame has no origin to name; nothing but the port is handed over.
    this.#node.contentWindow.postMessage({ t: "coderunner" }, "*", [port2]);
    this.theme();
    port1.postMessage({ t: "draw", count: this.#items.length, fresh: this.#items });
  }

  stop(why) {
    this.unmount();
    this.#hooks.stopped(why);
  }

  theme() {
    const { fontFamily } = getComputedStyle(this.#place);
    const dark = this.#place.getRootNode().host.closest(".dark") !== null;
    if (this.#node) this.#node.style.colorScheme = dark ? "dark" : "light";
    this.#port?.postMessage({ t: "theme", dark, font: fontFamily });
  }

  #hear(message) {
    if (typeof message !== "object" || message === null) return;
    const { t, h, url } = message;
    if (t === "size" && Number.isFinite(h)) this.#fit(Math.ceil(Math.min(Math.max(h, 0), HIGHEST)));
    else if (t === "link" && typeof url === "string" && /^https?:\/\/[^\s]{1,2000}$/.test(url)) this.#hooks.link(url);
  }

  #fit(pixels) {
    this.#node.style.height = `${pixels}px`;
    remember(`${this.#cell} frame`, pixels);
  }

  static repaint() { for (const each of SHOWN) each.theme(); }

  // Only a shell says this, and only of the frame in it.
  static left(source) {
    for (const each of SHOWN) if (each.#node.contentWindow === source) each.stop("It tried to leave its place.");
  }
}

addEventListener("message", ({ data, source }) => {
  if (data?.t === "coderunner-left") Frame.left(source);
});
