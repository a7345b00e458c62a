// Runs in a closed frame without origin or network, beside whatever an output's scripts do. Its only door is one
// port to the page; it knows nothing but the outputs of its block.

import "./kept.js";
import { draws, height, leave } from "./beside.js";
import { mend } from "./contrast.js";
import { door, post } from "./door.js";
import { take } from "./engines.js";
import { enliven } from "./html.js";
import { draw } from "./kinds.js";
import { load } from "./loaders.js";
import * as missing from "./missing.js";
import { names } from "./names.js";
import { scheme, schemes } from "./scheme.js";
import { SEEN } from "./seen.js";
import { begin, keep } from "./whole.js";
import { hear } from "./widgets.js";

const root = document.getElementById("root");

// --- what is shown

const shown = []; // a place for each output
const items = new Map(); // place -> what stands there
keep(shown);
missing.watch(shown);
let turn = Promise.resolve();
let pending = 0; // outputs that are not drawn yet

function drop(place) {
  items.delete(place);
  leave(place);
  place.remove();
}

function show(count, fresh, hollow = []) {
  while (shown.length > count) drop(shown.pop());
  fresh.forEach((item, at) => {
    if (item === null) return;
    const place = shown[at] ??= root.appendChild(Object.assign(document.createElement("div"), { className: "cr-piece" }));
    pending += 1;
    turn = turn.then(() => put(place, item, hollow.includes(at))).catch((failure) => { place.textContent = String(failure); })
      .then(() => draws(null)).then(() => { pending -= 1; size(); });
  });
  turn = turn.then(size);
}

async function put(place, item, hollow) {
  begin(place);
  leave(place);
  draws(place);
  items.set(place, item);
  missing.begun(place, item, hollow);
  const ours = typeof item === "string";
  place.classList.toggle("cr-cell", ours);
  if (ours) {
    place.innerHTML = item;
    return;
  }
  const stand = (node) => {
    node.classList.add("cr-out", "cr-acts");
    place.replaceChildren(node);
    missing.stands(place, node);
  };
  try {
    const { node, begin: more } = await draw(item);
    stand(node);
    await enliven(node);
    await more?.(node);
    schemes();
    mend(place);
    names(place, item);
  } catch (failure) {
    stand(Object.assign(document.createElement("pre"), { textContent: `${item.plain}\n(${failure})` }));
  }
}

// --- how high it is

const GROWTH = 4; // times in a row that what is shown may grow with its frame alone

let last = -1, grown = 0;
function size() {
  empty();
  const h = Math.ceil(height());
  // What is not drawn yet has the room that it had the last time, or is going to take.
  if (h === last || (pending && h <= innerHeight)) return;
  // Its frame was made as high as it wanted, and nothing was done to it: it measures itself by its frame.
  grown = h > last && innerHeight === last ? grown + 1 : 0;
  if (grown > GROWTH) return;
  last = h;
  post({ t: "size", h });
}

// What shows nothing, a style or a script, has no room and no rule above it; nor has a text without a word, which
// progress bars leave behind: its ground is ours.
function empty() {
  for (const node of root.querySelectorAll(".cr-html pre")) {
    const { style } = node;
    const nothing = !node.textContent.trim() && !node.querySelector(SEEN);
    node.classList.toggle("cr-hollow", nothing && !style.height && !style.minHeight && !style.background);
  }
  for (const node of root.querySelectorAll(":scope > .cr-piece > .cr-acts")) {
    const range = document.createRange();
    range.selectNodeContents(node);
    node.classList.toggle("cr-empty", range.getBoundingClientRect().height === 0);
  }
}

// A frame out of sight gets no ticks of a ResizeObserver; timers go on.
let soon = 0, named = 0;
const later = () => {
  grown = 0;
  missing.changed();
  schemes();
  soon ||= setTimeout(() => { soon = 0; size(); }, 60);
  named ||= setTimeout(() => { named = 0; for (const place of shown) names(place, items.get(place)); }, 400);
};
const sizes = new ResizeObserver(size);
for (const node of [root, document.body]) sizes.observe(node);
new MutationObserver(later).observe(document.body, { childList: true, subtree: true, attributes: true, characterData: true });
document.body.addEventListener("load", later, true);
document.body.addEventListener("toggle", later, true);

// --- links: the frame goes nowhere, the page asks

const unquoted = (path) => {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};

addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || link.getAttribute("href").startsWith("#")) return;
  event.preventDefault();
  // An address that is none of the web's means a file beside the code.
  const written = link.getAttribute("href");
  if (/^([a-z][a-z0-9+.-]*:|\/\/|\?)/i.test(written)) post({ t: "link", url: link.href });
  else post({ t: "file", path: unquoted(written.split(/[?#]/)[0]) });
}, true);

// --- the door: one message, from the shell, with the port

const DOES = {
  loaders: ({ loaders }) => { turn = turn.then(() => load(loaders)).catch(console.error); },
  draw: ({ count, fresh, hollow }) => show(count, fresh, hollow),
  theme({ dark, font, view }) {
    const { documentElement: html, body } = document;
    html.classList.toggle("dark", dark);
    html.style.colorScheme = dark ? "dark" : "light";
    html.style.setProperty("--cr-vh", `${view / 100}px`);
    // By these what was made for notebooks and their books tells a dark page.
    html.dataset.theme = dark ? "dark" : "light";
    body.dataset.jpThemeLight = String(!dark);
    body.dataset.jpThemeName = dark ? "JupyterLab Dark" : "JupyterLab Light";
    scheme(dark);
    body.style.fontFamily = font;
    mend(root);
  },
  parcel: ({ bytes }) => hear(bytes),
  program: take,
  ping: () => post({ t: "pong" }),
};

addEventListener("message", function begin({ data, source, ports }) {
  if (source !== parent || data?.t !== "coderunner" || ports.length !== 1) return;
  removeEventListener("message", begin);
  [door.port] = ports;
  door.port.onmessage = ({ data: message }) => DOES[message.t]?.(message);
});
parent.postMessage({ t: "coderunner-here" }, "*");
