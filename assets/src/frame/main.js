// Runs in a closed frame without origin or network, beside whatever an output's scripts do. Its only door is one
// port to the page; it knows nothing but the outputs of its block.

import { mend } from "./contrast.js";
import { door, post } from "./door.js";
import { enliven } from "./html.js";
import { draw } from "./kinds.js";
import { begin, keep } from "./whole.js";
import { hear } from "./widgets.js";

const root = document.getElementById("root");

// --- what is shown

const shown = []; // a place for each output
keep(shown);
let turn = Promise.resolve();

function show(count, fresh) {
  while (shown.length > count) shown.pop().remove();
  fresh.forEach((item, at) => {
    if (item === null) return;
    const place = shown[at] ??= root.appendChild(Object.assign(document.createElement("div"), { className: "cr-piece" }));
    turn = turn.then(() => put(place, item)).catch((failure) => { place.textContent = String(failure); }).then(size);
  });
  turn = turn.then(size);
}

async function put(place, item) {
  begin(place);
  const ours = typeof item === "string";
  place.classList.toggle("cr-cell", ours);
  if (ours) {
    place.innerHTML = item;
    return;
  }
  const stand = (node) => { node.classList.add("cr-out", "cr-acts"); place.replaceChildren(node); };
  try {
    const { node, begin: more } = await draw(item);
    stand(node);
    await enliven(node);
    await more?.(node);
    mend(place);
  } catch (failure) {
    stand(Object.assign(document.createElement("pre"), { textContent: `${item.plain}\n(${failure})` }));
  }
}

// --- how high it is

const GROWTH = 4; // times in a row that what is shown may grow with its frame alone

let last = -1, grown = 0;
function size() {
  empty();
  const h = Math.ceil(root.getBoundingClientRect().height);
  if (h === last) return;
  // Its frame was made as high as it wanted, and nothing was done to it: it measures itself by its frame.
  grown = h > last && innerHeight === last ? grown + 1 : 0;
  if (grown > GROWTH) return;
  last = h;
  post({ t: "size", h });
}

// What is seen without a word in it.
const SEEN = "img, svg, video, audio, canvas, iframe, object, embed, math, hr, input, button, select, textarea, progress, meter";

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
let soon = 0;
const later = () => { grown = 0; soon ||= setTimeout(() => { soon = 0; size(); }, 60); };
new ResizeObserver(size).observe(root);
new MutationObserver(later).observe(root, { childList: true, subtree: true, attributes: true, characterData: true });
root.addEventListener("load", later, true);
root.addEventListener("toggle", later, true);

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
  draw: ({ count, fresh }) => show(count, fresh),
  theme({ dark, font, view }) {
    const { documentElement: html, body } = document;
    html.classList.toggle("dark", dark);
    html.style.colorScheme = dark ? "dark" : "light";
    html.style.setProperty("--cr-vh", `${view / 100}px`);
    // By these what was made for notebooks and their books tells a dark page.
    html.dataset.theme = dark ? "dark" : "light";
    body.dataset.jpThemeLight = String(!dark);
    body.style.fontFamily = font;
    mend(root);
  },
  parcel: ({ bytes }) => hear(bytes),
  ping: () => post({ t: "pong" }),
};

addEventListener("message", function begin({ data, source, ports }) {
  if (source !== parent || data?.t !== "coderunner" || ports.length !== 1) return;
  removeEventListener("message", begin);
  [door.port] = ports;
  door.port.onmessage = ({ data: message }) => DOES[message.t]?.(message);
});
