// Formulas in the texts of HTML, as notebooks set them: only in what a program wrote, and not in what its scripts make.

import { turn } from "../turns.js";
import { engine } from "./engines.js";

const MAYBE = /\$[^$]+\$|\\[([]|\\begin\{/;
const ALONE = "pre, code, script, style, textarea, select, noscript, template, svg, math, canvas, annotation, xmp, title";
const IGNORED = ".tex2jax_ignore, .mathjax_ignore", PROCESSED = ".tex2jax_process, .mathjax_process";

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
  for (const [text, written] of texts) {
    await turn();
    const parts = read(written);
    if (parts.length === 1) continue;
    const nodes = [];
    for (const part of parts) nodes.push(part.written ? await node(part) : part);
    if (text.isConnected && text.data === written) text.replaceWith(...nodes);
  }
}

async function node({ written, html }) {
  await turn();
  const place = document.createElement("span"), set = html();
  if (!set) return written;
  place.innerHTML = set;
  return place;
}
