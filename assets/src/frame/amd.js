// RequireJS, as far as outputs ask for it that were made for the classic notebook: modules by name, and by addresses
// that `paths` names. It has no `define.amd`, and is there only once such a script comes: other libraries would take
// it for a page of RequireJS and define no globals.

import { globalOf, ours } from "./elsewhere.js";

const ASKS = /\brequire(?:js)?\s*(?:\.(?:config|undef)\s*\(|\(\s*\[)/;
const LOOKS = /window\.require|typeof\s+define|define\.amd/;

const paths = new Map(), modules = new Map();

export function prepare(text) {
  if (globalThis.require || !ASKS.test(text) || LOOKS.test(text)) return;
  globalThis.require = globalThis.requirejs = Object.assign(ask, { config, undef: (name) => modules.delete(name) });
  globalThis.define ??= define;
}

function config({ paths: named = {} } = {}) {
  for (const [name, path] of Object.entries(named)) paths.set(name, String([path].flat()[0]));
  return ask;
}

function ask(names, done, failed) {
  if (typeof names === "string") return modules.get(names)?.exports;
  Promise.all(names.map(load)).then((all) => done?.(...all), failed ?? console.error);
}

function define(name, needs, make = needs) {
  if (typeof name !== "string") return;
  const exports = {}, module = { exports }, given = { require: globalThis.require, exports, module };
  const wanted = Array.isArray(needs) ? needs : ["require", "exports", "module"];
  modules.set(name, Promise.all(wanted.map((each) => given[each] ?? load(each))).then((all) => (
    typeof make === "function" ? make(...all) ?? module.exports : make)));
}

function load(name) {
  if (!modules.has(name)) modules.set(name, fetched(name));
  return modules.get(name);
}

async function fetched(name) {
  const path = paths.get(name) ?? name;
  const url = globalOf(path) || /\.js([?#]|$)/.test(path) ? path : `${path}.js`;
  const global = globalOf(url);
  if (global && globalThis[global]) return globalThis[global];
  await new Promise((done, failed) => {
    const script = document.createElement("script");
    script.onload = done;
    script.onerror = () => failed(new Error(`${name} is not available here`));
    script.src = ours(url);
    document.head.append(script);
  });
  return globalThis[global ?? name];
}
