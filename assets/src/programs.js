// The programs that widgets are made of: ours, those that we load with the first widget that needs them, and those
// that only the kernel's environment has, which come in parcels. They are AMD modules.

import { address, serve } from "./kernel_files.js";
import { container, registered } from "./lab_extension.js";

const APART = { anywidget: "anywidget", "jupyter-matplotlib": "ipympl" };
const STILL = new Set(["jupyter-matplotlib"]); // runs no script that a program made
const LOST = 30_000; // milliseconds until what another module needs is taken to be nowhere

export class Programs {
  #scripts; #engine; #ask; #shared; #token; #loaded = new Map(); #coming = new Map(); #turn = Promise.resolve();

  // `ours`: modules that there are; `shared`, those of them and others that containers of modules take from us, with
  // their versions. `ask(name)` has the kernel send a file, which comes to `take`. `token` stands for a registry.
  constructor(scripts, engine, ours, { shared, token, ask }) {
    this.#scripts = scripts;
    this.#engine = engine;
    this.#shared = shared;
    this.#token = token;
    this.#ask = ask;
    if (scripts) serve((name) => this.file(name));
    for (const [name, exports] of Object.entries(ours)) this.#loaded.set(name, Promise.resolve(exports));
  }

  // Gives what a module exports; nothing where there is none of that name.
  load(name) {
    if (!this.#loaded.has(name)) this.#loaded.set(name, this.#load(name));
    return this.#loaded.get(name);
  }

  // The kernel's module of that name has come; without bytes: it has none.
  take(name, bytes) { this.#expect(name).come(bytes); }

  async #load(name) {
    if (!this.#scripts && !STILL.has(name)) throw new Error("the widget needs scripts, which are turned off");
    if (Object.hasOwn(APART, name)) return this.#define(name, () => this.#engine(APART[name]));
    const bytes = await this.#expect(name).bytes;
    if (!bytes) return {};
    const lab = container(bytes);
    if (!lab) return this.#define(name, () => run(bytes, uri(name)));
    await run(bytes, address(`labextensions/${name}/${lab.load}`));
    return registered(name, lab.extension, this.#shared, this.#token);
  }

  // A file that lies beside a program; it fails where there is none.
  async file(name) {
    if (!this.#coming.has(name)) this.#ask(name);
    const late = new Promise((_, failed) => setTimeout(() => failed(new Error(`${name} does not come`)), LOST));
    const bytes = await Promise.race([this.#expect(name).bytes, late]);
    if (!bytes) throw new Error(`${name} is not there`);
    return bytes;
  }

  #expect(name) {
    if (!this.#coming.has(name)) {
      let come;
      const bytes = new Promise((done) => { come = done; });
      this.#coming.set(name, { bytes, come });
    }
    return this.#coming.get(name);
  }

  // One after the other, since each says `define` to whoever listens. Without `amd`: other programs take no notice.
  async #define(name, begin) {
    let said = null;
    const mine = this.#turn.then(async () => {
      globalThis.define = (...what) => { said = what; };
      try {
        return await begin();
      } finally {
        delete globalThis.define;
      }
    });
    this.#turn = mine.catch(() => {});
    const engine = await mine;
    if (!said) return engine ?? {};
    const make = said.at(-1), exports = {};
    if (typeof make !== "function") return make;
    // What AMD has for every module.
    const given = { exports, module: { id: name, uri: uri(name), exports, config: () => ({}) } };
    const needs = (said.find(Array.isArray) ?? []).map((need) => given[need] ?? this.#need(need));
    return make(...await Promise.all(needs)) ?? exports;
  }

  #need(name) {
    const late = new Promise((_, failed) => setTimeout(() => failed(new Error(`the widget needs ${name}, which is not available`)), LOST));
    return Promise.race([this.load(name), late]);
  }
}

// Of a scope, the folder of a notebook extension has only the name after it.
const uri = (name) => address(`nbextensions/${name.split("/").pop()}/index.js`);

// A program is told that it comes from `place`: what lies beside it, it asks for there.
function run(bytes, place) {
  const src = URL.createObjectURL(new Blob([bytes], { type: "text/javascript" }));
  const script = document.createElement("script");
  script.setAttribute("src", src);
  Object.defineProperty(script, "src", { value: place });
  const loaded = new Promise((done, failed) => {
    script.onload = () => done();
    script.onerror = () => failed(new Error("the widget's code could not be loaded"));
  });
  document.head.append(script);
  return loaded.finally(() => { script.remove(); URL.revokeObjectURL(src); });
}
