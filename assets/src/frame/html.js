// HTML that a program made. Its scripts are to run, here, where they can do no harm.

import { prepare } from "./amd.js";
import { LEVEL } from "./door.js";
import { imports, ours, ourStyle, short, unchecked } from "./elsewhere.js";
import { listening } from "./missing.js";

export function html(source) {
  const place = document.createElement("div");
  place.className = "cr-html";
  place.innerHTML = short(source);
  for (const link of place.querySelectorAll("link[rel~=stylesheet][href]")) {
    const written = link.getAttribute("href"), href = ourStyle(written);
    if (href === written) continue;
    unchecked(link);
    link.setAttribute("href", href);
  }
  return measured(place);
}

// A script that runs when what it is in is enlivened, and not before.
export function inert(source) {
  const place = document.createElement("div");
  place.innerHTML = "<script></script>";
  place.firstChild.textContent = short(source);
  return place.firstChild;
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
  listening(place);
  return place;
}

// Others are data, or for browsers of old: they are never loaded, and nothing tells so.
const RUNS = /^$|^module$|(java|ecma)script/;

const alive = new WeakSet();

// Scripts that come with innerHTML never run: each is made anew, in order, once it stands in the page.
// `modules`: what follows needs those, too.
export async function enliven(place, modules = false) {
  if (LEVEL !== "scripts") return;
  for (const old of place.querySelectorAll("script")) {
    if (alive.has(old)) continue;
    const script = document.createElement("script");
    alive.add(script);
    for (const { name, value } of old.attributes) script.setAttribute(name, value);
    if (old.hasAttribute("src") && ours(old.getAttribute("src")) !== old.getAttribute("src")) unchecked(script);
    const text = old.textContent;
    script.textContent = script.type.trim().toLowerCase() === "module" ? imports(text) : text;
    prepare(text);
    const runs = RUNS.test(script.type.trim().toLowerCase()) && !script.noModule;
    const waits = script.src || (modules && script.type.trim().toLowerCase() === "module");
    const loaded = runs && waits && new Promise((done) => { script.onload = script.onerror = done; });
    old.replaceWith(script);
    await loaded;
  }
}
