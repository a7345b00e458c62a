// The closed frame of a block, as its page sees it. Nothing secret goes in; what comes out is a stranger's.

import { program as plotly } from "../traces.js";
import { foretold, height, remember } from "./heights.js";

const HIGHEST = 4000; // pixels; what is higher scrolls inside
const NEAR = "1500px"; // how far from what is seen a frame is opened
const SOON = "800px"; // the same where what is seen is a part of the page
const MANY = 12; // frames; each takes some 12 MB, so further ones are closed when they are far
const PATIENCE = 15_000; // milliseconds; a script that takes longer hangs all frames, which share a process

const LARGEST = 15e6; // bytes of a parcel; a server closes the line where there are more than 16 MiB
const PROGRAM = /^[a-z]{1,20}$/; // a name
const QUICKEST = 300; // parcels a second; a slider that is moved needs some 60

// Programs that a frame is made with, by what is to be drawn first.
const DRAWN_BY = [
  [/^application\/vnd\.jupyter\.widget-view\+json$/, () => "widgets"],
  [/^application\/vnd\.plotly\.v1\+json$/, ({ data }) => plotly(data)],
  [/^application\/vnd\.vega/, () => "vega"],
  [/^text\/(markdown|latex)$/, () => "text"],
];

// What the first output that needs a program is drawn with.
function drawnBy(items) {
  for (const item of items) {
    const [, program] = DRAWN_BY.find(([kinds]) => kinds.test(item.kind)) ?? [];
    if (program) return program(item);
  }
  return "";
}

// What a frame shows after it was stopped: first without scripts, then outputs of programs as their text alone.
const STILL = 1, PLAIN = 2;

const OPEN = new Set();

const near = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) target.frame?.near(isIntersecting);
}, { rootMargin: NEAR, scrollMargin: SOON }); // the latter is for a list of messages that scrolls by itself

// What is in view when it is drawn need not wait for the observer, which looks once a picture of the page is made.
function inView(node) {
  const [box] = node.getClientRects();
  return box && box.bottom >= 0 && box.top <= innerHeight;
}

// A block may stand within another one.
const themed = (node) => Boolean(node) && (node.closest(".dark") !== null || themed(node.getRootNode().host));

export class Frame {
  #place; #cell; #open; #hooks; #node = null; #port = null; #items = []; #loads = 0; #asked = 0; #drawn = 0;
  #level = "scripts"; #near = false; #told = false; #loading = "";
  #stage = 0; #highest = HIGHEST; #parcels = 0; #early = []; #telling = false; #asking = false; #fresh = true;

  loaders = []; // names of what runs before what is shown
  foreseen = ""; // the program that it is made with while it has nothing to show

  // `open(iframe, level, program)` has an iframe load its page. `hooks`: link(url), file(path), stopped(why), missing(item, what), afresh(), widgets(), parcel(bytes)
  // and, where its page loads none by itself, program(name).
  // `loaders` gives and shuns what is loaded first.
  constructor(place, cell, open, hooks) {
    this.#place = place;
    this.#cell = cell;
    this.#open = open;
    this.#hooks = hooks;
    place.frame = this;
    place.style.minHeight = `${this.#known}px`;
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
    this.#hooks.afresh();
    this.#stage = 0;
    this.#leave();
    this.#enter();
  }

  // Shows `items`, in order: HTML of ours, or what acts. Only what is another object is drawn again.
  show(items) {
    const fresh = items.map((item, at) => (item === this.#items[at] ? null : item));
    this.#items = items;
    if (!this.#node) this.#place.style.minHeight = `${this.#known}px`;
    this.#drawn = performance.now();
    if (this.#told) return this.#send(fresh);
    if (this.#fresh) {
      this.#fresh = false;
      if (OPEN.size < MANY && inView(this.#place)) return this.near(true);
    }
    if (!this.#node) return;
    if (items.length) this.#node.style.height = this.#first();
    this.#ahead();
    this.#tell();
  }

  // Of a frame that waits for something to show nothing is seen.
  #first() { return `${this.#items.length ? this.#known || 24 : 0}px`; }

  // How high it was, or else will be.
  get #known() { return height(`${this.#cell} frame`, Math.min(foretold(this.#items), this.#highest)); }

  // What a block's widgets are is asked for once for each page that is in the frame.
  #ask() {
    if (this.#asking) return;
    this.#asking = true;
    this.#hooks.widgets();
  }

  #ahead() { if (this.#items.length && this.#program() === "widgets") this.#ask(); }

  // `hollow`: which of them showed nothing the last time, so that no box opens and closes again.
  #send(fresh) {
    const hollow = fresh.flatMap((item, at) => (item?.kind && height(this.#void(at)) ? [at] : []));
    this.#port?.postMessage({ t: "draw", count: fresh.length, fresh: fresh.map((item) => this.#tamed(item)), hollow });
  }

  #void(at) { return `${this.#cell} void ${at}`; }

  #miss(at, what) {
    if (what.says === true && what.hollow === true) remember(this.#void(at), 1);
    else if (height(this.#void(at))) remember(this.#void(at), 0);
    this.#hooks.missing(this.#items[at], what);
  }

  #tamed(item) {
    return this.#stage === PLAIN && item?.kind ? { kind: "text/plain", data: item.plain, plain: item.plain } : item;
  }

  #enter() {
    if (this.#node || this.#stage > PLAIN || !this.#near) return;
    const node = this.#node = document.createElement("iframe");
    node.sandbox = "allow-scripts";
    node.referrerPolicy = "no-referrer";
    node.allow = "";
    node.title = "Output";
    node.style.height = this.#first();
    this.#open(node, this.#stage ? "still" : this.#level, this.#program());
    this.#loads = this.#asked = 0;
    node.onload = () => {
      this.#loads += 1;
      if (this.#loads > 1) this.stop("It tried to navigate.");
    };
    this.#place.replaceChildren(node);
    OPEN.add(this);
    // What is known to be asked for is on its way while the frame is.
    this.#early = [];
    this.#asking = false;
    this.#ahead();
  }

  #program() {
    if (this.#stage === PLAIN) return "";
    return this.#items.length ? drawnBy(this.#items) : this.foreseen;
  }

  #leave() {
    this.#port?.close();
    this.#node?.remove();
    this.#port = this.#node = null;
    this.#told = this.#telling = false;
    OPEN.delete(this);
  }

  async #begin() {
    if (this.#port) return;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }) => this.#hear(data);
    // "*" because a closed frame has no origin to name; nothing but the port is handed over.
    this.#node.contentWindow.postMessage({ t: "coderunner" }, "*", [port2]);
    this.theme();
    for (const bytes of this.#early.splice(0)) this.parcel(bytes);
    this.#loading = "";
    this.#tell();
  }

  // Once there is something to show: what earlier blocks loaded, then all of it.
  async #tell() {
    const port = this.#port;
    if (!port || !this.#items.length || this.#telling) return;
    this.#telling = true;
    if (this.loaders.length && this.#level === "scripts" && !this.#stage) {
      const loaders = await this.#hooks.loaders.get(this.loaders);
      if (this.#port !== port) return;
      port.postMessage({ t: "loaders", loaders });
    }
    this.#told = true;
    this.#drawn = performance.now();
    this.#send(this.#items);
  }

  parcel(bytes) {
    if (this.#port) this.#port.postMessage({ t: "parcel", bytes });
    else if (this.#node) this.#early.push(bytes);
  }

  // What one output did is not for the others to pay: they come back, without what may have done it.
  stop(why) {
    if (this.#loading) this.#hooks.loaders.shun(this.#loading);
    this.#leave();
    this.#stage = this.#stage || this.#level === "still" ? Math.max(this.#stage + 1, PLAIN) : STILL;
    this.#place.style.minHeight = "";
    this.#hooks.afresh();
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
    const { t, h, url, path, bytes, at, name } = message;
    if (t === "pong") this.#asked = 0;
    else if (t === "size" && Number.isFinite(h)) this.#fit(h);
    else if (t === "missing" && Number.isInteger(at) && this.#items[at]?.kind) this.#miss(at, message);
    else if (t === "loading" && (name === "" || this.loaders.includes(name))) this.#loading = name;
    else if (t === "widgets") this.#ask();
    else if (t === "program" && PROGRAM.test(name) && this.#hooks.program) this.#bring(name);
    else if (t === "parcel" && bytes instanceof ArrayBuffer && bytes.byteLength < LARGEST) {
      if (++this.#parcels < QUICKEST) this.#hooks.parcel(bytes);
    } else if (t === "link" && typeof url === "string" && /^https?:\/\/[^\s]{1,2000}$/.test(url)) this.#hooks.link(url);
    else if (t === "file" && typeof path === "string" && /^[^\p{C}]{1,2000}$/u.test(path)) this.#hooks.file(path);
  }

  // A program of ours that its page asks for, since it can load none.
  async #bring(name) {
    const port = this.#port;
    port.postMessage({ t: "program", name, ...await this.#hooks.program(name) });
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

  // Only a shell says these, of itself and of the frame in it.
  static here(source) { Frame.#of(source)?.#begin(); }
  static left(source) { Frame.#of(source)?.stop("It tried to navigate."); }
  static #of(source) { return [...OPEN].find((each) => each.#node.contentWindow === source); }

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
  if (data?.t === "coderunner-here") Frame.here(source);
  else if (data?.t === "coderunner-left") Frame.left(source);
});
setInterval(() => Frame.watch(), 1000);
