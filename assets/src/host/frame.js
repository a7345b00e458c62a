// The closed frame of a block, as its page sees it. Nothing secret goes in; what comes out is a stranger's.

import { height, remember } from "./heights.js";

const HIGHEST = 4000; // pixels; what is higher scrolls inside
const NEAR = "1500px"; // how far from what is seen a frame is opened
const MANY = 12; // frames; each takes some 12 MB, so further ones are closed when they are far
const PATIENCE = 15_000; // milliseconds; a script that takes longer hangs all frames, which share a process

const LARGEST = 15e6; // bytes of a parcel; a server closes the line where there are more than 16 MiB
const QUICKEST = 300; // parcels a second; a slider that is moved needs some 60

// What a frame shows after it was stopped: first without scripts, then outputs of programs as their text alone.
const STILL = 1, PLAIN = 2;

const OPEN = new Set();

const near = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) target.frame?.near(isIntersecting);
}, { rootMargin: NEAR });

// A block may stand within another one.
const themed = (node) => Boolean(node) && (node.closest(".dark") !== null || themed(node.getRootNode().host));

export class Frame {
  #place; #cell; #base; #hooks; #node = null; #port = null; #items = []; #loads = 0; #asked = 0; #drawn = 0;
  #level = "scripts"; #near = false; #stage = 0; #highest = HIGHEST; #parcels = 0;

  // `hooks`: link(url), file(path), stopped(why), widgets() and parcel(bytes).
  constructor(place, cell, base, hooks) {
    this.#place = place;
    this.#cell = cell;
    this.#base = base;
    this.#hooks = hooks;
    place.frame = this;
    place.style.minHeight = `${height(`${cell} frame`)}px`;
    near.observe(place);
  }

  close() {
    near.unobserve(this.#place);
    this.#leave();
    this.#place.style.minHeight = "";
    delete this.#place.frame;
  }

  near(is) {
    this.#near = is;
    if (is) this.#enter();
    else if (OPEN.size > MANY) this.#leave();
  }

  get count() { return this.#items.length; }

  get level() { return this.#level; }

  set level(level) {
    if (level === this.#level) return;
    this.#level = level;
    this.again();
  }

  set highest(pixels) {
    this.#highest = pixels ?? HIGHEST;
    this.#fit(this.#wanted);
  }

  again() {
    this.#stage = 0;
    this.#leave();
    this.#enter();
  }

  // Shows `items`, in order: HTML of ours, or what acts. Only what is another object is drawn again.
  show(items) {
    const fresh = items.map((item, at) => (item === this.#items[at] ? null : item));
    this.#items = items;
    this.#drawn = performance.now();
    this.#port?.postMessage({ t: "draw", count: items.length, fresh: fresh.map((item) => this.#tamed(item)) });
  }

  #tamed(item) {
    return this.#stage === PLAIN && item?.kind ? { kind: "text/plain", data: item.plain, plain: item.plain } : item;
  }

  #enter() {
    if (this.#node || this.#stage > PLAIN || !this.#near) return;
    const node = this.#node = document.createElement("iframe");
    node.sandbox = "allow-scripts";
    node.src = new URL(`public/${this.#stage ? "still" : this.#level}/shell.html`, this.#base).href;
    node.referrerPolicy = "no-referrer";
    node.allow = "";
    node.title = "Output";
    node.style.height = `${height(`${this.#cell} frame`) || 24}px`;
    this.#loads = this.#asked = 0;
    node.onload = () => this.#begin();
    this.#place.replaceChildren(node);
    OPEN.add(this);
  }

  #leave() {
    this.#port?.close();
    this.#node?.remove();
    this.#port = this.#node = null;
    OPEN.delete(this);
  }

  #begin() {
    this.#loads += 1;
    if (this.#loads > 1) return this.stop("It tried to navigate.");
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }) => this.#hear(data);
    // "*" because a closed frame has no origin to name; nothing but the port is handed over.
    this.#node.contentWindow.postMessage({ t: "coderunner" }, "*", [port2]);
    this.theme();
    this.#drawn = performance.now();
    port1.postMessage({ t: "draw", count: this.#items.length, fresh: this.#items.map((item) => this.#tamed(item)) });
  }

  parcel(bytes) { this.#port?.postMessage({ t: "parcel", bytes }); }

  // What one output did is not for the others to pay: they come back, without what may have done it.
  stop(why) {
    this.#leave();
    this.#stage = this.#stage || this.#level === "still" ? Math.max(this.#stage + 1, PLAIN) : STILL;
    this.#place.style.minHeight = "";
    this.#hooks.stopped(why);
    this.#enter();
  }

  theme() {
    const { fontFamily } = getComputedStyle(this.#place);
    const dark = themed(this.#place);
    if (this.#node) this.#node.style.colorScheme = dark ? "dark" : "light";
    this.#port?.postMessage({ t: "theme", dark, font: fontFamily, view: innerHeight });
  }

  #hear(message) {
    if (typeof message !== "object" || message === null) return;
    const { t, h, url, path, bytes } = message;
    if (t === "pong") this.#asked = 0;
    else if (t === "size" && Number.isFinite(h)) this.#fit(h);
    else if (t === "widgets") this.#hooks.widgets();
    else if (t === "parcel" && bytes instanceof ArrayBuffer && bytes.byteLength < LARGEST) {
      if (++this.#parcels < QUICKEST) this.#hooks.parcel(bytes);
    } else if (t === "link" && typeof url === "string" && /^https?:\/\/[^\s]{1,2000}$/.test(url)) this.#hooks.link(url);
    else if (t === "file" && typeof path === "string" && /^[^\p{C}]{1,2000}$/u.test(path)) this.#hooks.file(path);
  }

  #wanted = 24;
  #fit(pixels) {
    this.#wanted = pixels;
    const fits = `${Math.ceil(Math.min(Math.max(pixels, 0), this.#highest))}px`;
    if (this.#node) this.#node.style.height = fits;
    this.#place.style.minHeight = fits;
    remember(`${this.#cell} frame`, Number.parseInt(fits, 10));
  }

  static repaint() { for (const each of OPEN) each.theme(); }

  // Only a shell says this, and only of the frame in it.
  static left(source) {
    for (const each of OPEN) if (each.#node.contentWindow === source) each.stop("It tried to navigate.");
  }

  // A script that never ends hangs every frame, since they share a process; that ends when all of them are gone.
  // The one that was drawn last is left out, the others come back.
  static watch() {
    if (document.hidden) {
      for (const each of OPEN) each.#asked = 0;
      return;
    }
    for (const each of OPEN) each.#parcels = 0;
    const now = performance.now();
    const hung = [...OPEN].filter((each) => each.#asked && now - each.#asked > PATIENCE);
    if (hung.length) {
      const guilty = hung.reduce((one, other) => (one.#drawn > other.#drawn ? one : other));
      const others = [...OPEN].filter((each) => each !== guilty);
      for (const each of others) each.#leave();
      guilty.stop("Its script did not finish.");
      for (const each of others) each.#enter();
      return;
    }
    for (const each of OPEN) {
      if (!each.#port || each.#asked) continue;
      each.#asked = now;
      each.#port.postMessage({ t: "ping" });
    }
  }
}

addEventListener("message", ({ data, source }) => {
  if (data?.t === "coderunner-left") Frame.left(source);
});
setInterval(() => Frame.watch(), 1000);
