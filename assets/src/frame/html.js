// HTML that a program made. Its scripts are to run, here, where they can do no harm.

import { ours } from "./engines.js";

export function html(source) {
  const place = document.createElement("div");
  place.className = "cr-html";
  place.innerHTML = source;
  return measured(place);
}

// A frame is as high as what is in it: what is as high as its frame would grow without end. So the height of a view
// is that of the page around.
const VIEW = /(\d*\.?\d+)[dsl]?vh\b/g;
const bound = (text) => text.replace(VIEW, "calc($1 * var(--cr-vh))");

export function measured(place) {
  for (const node of place.querySelectorAll('[style*="vh"]')) node.setAttribute("style", bound(node.getAttribute("style")));
  for (const sheet of place.querySelectorAll("style")) {
    const text = bound(sheet.textContent);
    if (text !== sheet.textContent) sheet.textContent = text;
  }
  return place;
}

// Others are data, or for browsers of old: they are never loaded, and nothing tells so.
const RUNS = /^$|^module$|(java|ecma)script/;

const alive = new WeakSet();

// Scripts that come with innerHTML never run: each is made anew, in order, once it stands in the page.
export async function enliven(place) {
  if (document.body.dataset.level !== "scripts") return;
  for (const old of place.querySelectorAll("script")) {
    if (alive.has(old)) continue;
    const script = document.createElement("script");
    alive.add(script);
    for (const { name, value } of old.attributes) script.setAttribute(name, name === "src" ? ours(value) : value);
    script.textContent = old.textContent;
    const runs = RUNS.test(script.type.trim().toLowerCase()) && !script.noModule;
    const loaded = runs && script.src && new Promise((done) => { script.onload = script.onerror = done; });
    old.replaceWith(script);
    await loaded;
  }
}
