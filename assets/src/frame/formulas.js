// Formulas in the texts of HTML, as notebooks set them: only in what a program wrote, and not in what its scripts make.

import { engine } from "./engines.js";

const MAYBE = /\$[^$]+\$|\\[([]|\\begin\{/;
const ALONE = "pre, code, script, style, textarea, select, noscript, template, svg, math, canvas, annotation, xmp, title";
const IGNORED = ".tex2jax_ignore, .mathjax_ignore", PROCESSED = ".tex2jax_process, .mathjax_process";
const AT_ONCE = 50; // texts, until others have a turn

function reads(text) {
  if (!MAYBE.test(text.data) || text.parentElement?.closest(ALONE)) return false;
  const said = text.parentElement?.closest(`${IGNORED}, ${PROCESSED}`);
  return !said || said.matches(PROCESSED);
}

// Gives what sets the formulas of a place once its scripts have run; nothing where there are none.
export function formulas(place) {
  const walk = document.createTreeWalker(place, NodeFilter.SHOW_TEXT), texts = [];
  while (walk.nextNode()) if (reads(walk.currentNode)) texts.push([walk.currentNode, walk.currentNode.data]);
  return texts.length ? () => set(texts) : undefined;
}

async function set(texts) {
  const read = (await engine("text")).reader();
  for (const [at, [text, written]] of texts.entries()) {
    if (at && at % AT_ONCE === 0) await new Promise((done) => { setTimeout(done); });
    if (!text.isConnected || text.data !== written) continue;
    const parts = read(written);
    if (parts.length > 1) text.replaceWith(...parts.map((part) => (part.html ? node(part.html) : part.written ?? part)));
  }
}

function node(html) {
  const place = document.createElement("span");
  place.innerHTML = html;
  return place;
}
