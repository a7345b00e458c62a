// What outputs were refused, and which of them show nothing: told to the page, which says so in a sentence.

import { post } from "./door.js";
import { address } from "./elsewhere.js";
import { counts, KINDS, SOFT } from "./policy.js";
import { hollow, words } from "./seen.js";

const SOON = 300; // milliseconds in which what is refused is gathered
const LATE = 4000; // until an output that shows nothing is taken to show nothing
const MOST = 30; // causes of one output that are told
const ADDRESSES = 500; // of a frame that are looked at

// Icons of fonts that were refused: an address, and what of an output would show them.
const ICONS = [
  [/materialdesignicons|\/@mdi\//i, ".mdi, [class*='mdi-']"],
  [/bootstrap-icons/i, ".bi, [class*='bi-']"],
  [/material[-+]?(?:icons|symbols)/i, "[class*='material-icons'], [class*='material-symbols']"],
];
const icons = (url, place) => ICONS.some(([address, selector]) => address.test(url) && place?.querySelector(selector));

const HERE = new URL(".", document.baseURI).href;

const NODES = "img, iframe, embed, object, video, audio, source, input[type=image], script[src], link[href]";

const root = document.getElementById("root");
const states = new Map(); // place -> what is known of it
let places = [];
let drawing = null;

const stateOf = (place) => {
  if (!states.has(place)) states.set(place, { causes: new Map(), failed: "", told: "", since: 0, empty: false, seen: false });
  return states.get(place);
};

// The place of a node, through all the shadows that it stands in.
function placeOf(node) {
  for (let at = node; at instanceof Node; at = at.getRootNode().host) {
    const found = places.find((place) => place.contains(at));
    if (found) return found;
  }
  return drawing;
}

export function watch(shown) { places = shown; }

// A place is drawn anew: what was said of what stood there before is no more. `empty`: it showed nothing the last time.
export function begun(place, item, empty) {
  if (typeof item !== "string") drawing = place;
  const told = stateOf(place).told;
  states.delete(place);
  Object.assign(stateOf(place), { told, item, empty, since: performance.now() });
  place.querySelector(":scope > .cr-instead")?.remove();
  soon();
  setTimeout(soon, LATE);
}

// What showed nothing the last time takes no room while that is not known anew.
export function stands(place, node) {
  if (stateOf(place).empty) instead(place, node, stateOf(place), true);
  // Browsers know this kind of link no more: it asks for nothing, and nothing tells so.
  for (const { href } of node.querySelectorAll("link[rel=import][href]")) name(place, "program", href);
}

// What earlier blocks loaded, and what of theirs was refused: that alone is no fault of an output that shows something.
const earlier = [];
const LOOKED = 20; // addresses that are looked for in them, which may be long
const theirs = new Map();

export function loads(text) { earlier.push(text); }

function borrowed(place, url) {
  if (!theirs.has(url)) {
    if (theirs.size >= LOOKED) return false;
    theirs.set(url, earlier.some((text) => text.includes(url)));
  }
  return theirs.get(url) && !JSON.stringify(stateOf(place).item).includes(url);
}

function cause(place, what, url, count = 1) {
  const state = place && stateOf(place);
  if (!state || typeof state.item === "string" || counts(url)) return;
  const key = `${what} ${url}`, known = state.causes.get(key);
  if (known) known.count += count;
  else if (state.causes.size < MOST) state.causes.set(key, { what, url, count, loaded: borrowed(place, url) });
  soon();
}

// --- what the frame's policy refuses

let gathered = new Map(); // address -> what it was for

addEventListener("securitypolicyviolation", ({ blockedURI, effectiveDirective, target }) => {
  const what = KINDS[effectiveDirective];
  if (!what || !blockedURI || gathered.size >= ADDRESSES) return;
  const place = target instanceof Element ? placeOf(target) : null;
  gathered.set(blockedURI, { what, place: place ?? drawing });
  soon();
});

const bare = (url) => String(url).replace(/#.*$/, "");
const addresses = (node) => [node.src, node.currentSrc, node.data, node.href].filter(Boolean).map(bare);

// Of a page only its origin is told.
const origin = (url) => /^\w+:\/\/[^/?#]*/.exec(url)?.[0] ?? url;
const isPage = (node) => node.matches("iframe, embed, object");

// Those that were refused are known by their address: each is hidden, with its alternative beside it.
function sort() {
  if (!gathered.size) return;
  const found = gathered;
  gathered = new Map();
  for (const node of [...root.querySelectorAll(NODES)].slice(0, 10 * ADDRESSES)) {
    const url = addresses(node).find((each) => found.has(isPage(node) ? origin(each) : each)) ?? "";
    const known = found.get(isPage(node) ? origin(url) : url);
    if (!known || (isPage(node) && known.what !== "page")) continue;
    known.seen = true;
    if (!node.matches("script, link")) hide(node);
    name(placeOf(node), node.classList.contains("leaflet-tile") ? "tile" : known.what, url);
  }
  for (const [url, { what, place, seen }] of found) if (!seen) name(place, what, url);
}

function name(place, what, url) {
  if (/^(https?|wss?):/.test(url)) cause(place, ...(url.startsWith(HERE) ? ["file", path(url)] : [what, url]));
  else if (what === "program" && url === "inline") cause(place, "scripts", "");
  else if (what === "page") cause(place, "page", "");
}

function path(url) {
  const written = url.slice(HERE.length).split(/[?#]/)[0];
  try { return decodeURIComponent(written); } catch { return written; }
}

function hide(node) {
  const shell = node.localName === "source" ? node.closest("video, audio, picture") ?? node : node;
  if (shell.classList.contains("cr-refused")) return;
  shell.classList.add("cr-refused");
  const says = shell.getAttribute("alt")?.trim();
  if (!says) return;
  const text = Object.assign(document.createElement("span"), { className: "cr-alt", textContent: says });
  shell.after(text);
}

// --- what cannot be read, and programs that fail

document.addEventListener("error", ({ target }) => {
  if (!(target instanceof Element) || !root.contains(target) || !target.matches("img, video, audio, source")) return;
  // Its own handler may put something in its place.
  setTimeout(() => {
    if (!target.isConnected || target.classList.contains("cr-refused")) return;
    if (target.localName === "img" && target.naturalWidth !== 0) return;
    sort();
    if (target.classList.contains("cr-refused")) return;
    const place = placeOf(target);
    hide(target);
    cause(place, target.localName === "img" ? "broken" : "mute", "");
  }, 100);
}, true);

// Browsers say so of observers that go on in the next frame: nothing failed.
const HARMLESS = /^ResizeObserver loop/;

function failed(error) {
  if (!drawing || HARMLESS.test(error?.message ?? error)) return;
  stateOf(drawing).failed ||= String(error?.message ?? error).slice(0, 200);
  soon();
}
addEventListener("error", ({ error, message }) => { if (message) failed(error ?? message); });
addEventListener("unhandledrejection", ({ reason }) => failed(reason));

// --- frames of HTML within an output: a script of ours in them says the same of them

const INSIDE = address("inside.js");
const START = /^\s*(?:<!doctype[^>]*>)?/i;

export function listening(place) {
  for (const frame of place.getElementsByTagName("iframe")) {
    const text = frame.getAttribute("srcdoc"), [start] = START.exec(text ?? "");
    if (text === null || text.includes(`"${INSIDE}"`)) continue;
    frame.setAttribute("srcdoc", `${start}<script src="${INSIDE}"></script>${text.slice(start.length)}`);
  }
}

// Also those that a widget or a script puts there: this runs before what they hold is read.
new MutationObserver(() => listening(document)).observe(root, { childList: true, subtree: true, attributeFilter: ["srcdoc"] });

// A document that a script makes is one as well.
const { createObjectURL } = URL;
URL.createObjectURL = (what) => {
  const page = what instanceof Blob && /^text\/html\b/i.test(what.type);
  return createObjectURL.call(URL, page ? new Blob([`<!doctype html><script src="${INSIDE}"></script>`, what], { type: what.type }) : what);
};

addEventListener("message", ({ data, source }) => {
  if (data?.t !== "coderunner-inside" || !Array.isArray(data.causes)) return;
  const frame = [...root.querySelectorAll("iframe")].slice(0, 200).find((each) => each.contentWindow === source);
  const place = frame && placeOf(frame);
  if (!place) return;
  frame.classList.toggle("cr-refused", data.hollow === true);
  frame.dataset.crSeen = "";
  for (const each of data.causes.slice(0, MOST)) {
    if (typeof each?.url === "string" && Object.values(KINDS).includes(each.what)) cause(place, each.what, each.url.slice(0, 2000));
  }
  if (typeof data.failed === "string") stateOf(place).failed ||= data.failed.slice(0, 200);
  soon();
});

// --- what the page is told

let timer = 0;
function soon() { timer ||= setTimeout(() => { timer = 0; sort(); places.forEach(tell); }, SOON); }

export const changed = soon;

function tell(place, at) {
  const state = states.get(place);
  if (!state || typeof state.item === "string") return;
  const shown = place.querySelector(":scope > .cr-acts");
  const causes = [...state.causes.values()].map((each) => (each.what === "look" && icons(each.url, shown) ? { ...each, what: "icons" } : each));
  const own = causes.filter(({ loaded }) => !loaded);
  const grave = own.some(({ what }) => !SOFT.has(what) && what !== "scripts");
  const late = performance.now() - state.since >= LATE;
  const asks = state.empty || state.causes.size > 0 || state.failed !== "" || (late && !state.seen);
  const nothing = Boolean(asks && shown && hollow(shown, state.causes.size > 0 || state.failed !== ""));
  const all = (nothing ? causes : own).map(({ what, url, count }) => ({ what, url, count }));
  state.seen = asks && !nothing;
  const room = nothing && shown.getBoundingClientRect().height > 24 + 2; // what draws nothing and takes no room is a loader
  const says = grave || (nothing && (all.length > 0 || (late && (state.failed !== "" || room || state.empty))));
  state.empty &&= nothing || !late;
  state.empty ||= says && nothing;
  instead(place, shown, state, state.empty && nothing);
  const told = says ? all.filter(({ what }) => nothing || !(SOFT.has(what) || what === "scripts")) : [];
  const message = { t: "missing", at, says, hollow: nothing, failed: nothing ? state.failed : "", causes: told };
  const text = JSON.stringify(message);
  if (text === state.told || (!says && !state.told)) return;
  state.told = says ? text : "";
  post(message);
}

// In place of what shows nothing stands what can be shown: the text or the picture that came with it.
function instead(place, shown, state, is) {
  if (!shown || shown.classList.contains("cr-void") === is) return;
  shown.classList.toggle("cr-void", is);
  shown.inert = is;
  place.querySelector(":scope > .cr-instead")?.remove();
  if (is) place.append(...alternative(state.item));
}

function alternative({ instead: html = "", plain } = {}) {
  const text = html ? "" : telling(plain);
  if (html) return [Object.assign(document.createElement("div"), { className: "cr-out cr-instead", innerHTML: html })];
  return text ? [Object.assign(document.createElement("pre"), { className: "cr-out cr-instead", textContent: text })] : [];
}

// An address in memory, or a type's name, says nothing to a person.
const MUTE = /^(?:<[^\n]{0,300}(?: object| at 0x[0-9a-f]+)[^\n]{0,100}>|\([\w./+, -]*\)|Cannot show ipywidgets in text)$/i;

function telling(plain) {
  const text = String(plain ?? "").trim();
  return MUTE.test(text) || !words(text.slice(0, 2000)) ? "" : text;
}
