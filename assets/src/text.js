// Markdown and LaTeX, for closed frames: loaded when something needs them.

import katex from "katex";
import MarkdownIt from "markdown-it";

const escape = (text) => text.replace(/[&<>"]/g, (each) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[each]);

export function formula(source, displayMode, throwOnError = false) {
  return katex.renderToString(source, { displayMode, throwOnError, trust: false, maxExpand: 1000 });
}

// What stands between the marks that notebooks know; all of it is a formula where there are none.
const WHOLE = /^(\$\$|\\\[|\$|\\\()([\s\S]*?)(?:\$\$|\\\]|\$|\\\))$/;

export function latex(source) {
  const [, mark, inner] = WHOLE.exec(source.trim()) ?? [null, "$$", source.trim()];
  return /^\\begin\{(?:table|tabular)/.test(inner) ? `<pre>${escape(source)}</pre>`
    : formula(inner.replace(/^\\displaystyle\s*/, ""), mark === "$$" || mark === "\\[" || /^\\displaystyle/.test(inner));
}

// The rules are those that the chat app has for what a model writes: beside formulas stand prices, variables of
// shells and escaped brackets, which are none.
const LONGEST = 2000;
const PAIRS = { $$: "$$", "\\[": "\\]", "\\(": "\\)" };
const DOLLARS = /\$(?![\s$])((?:\\.|[^$\\\n`]){1,2000}?)(?<!\s)\$(?![\d$])(?!(?!(?:th|st|nd|rd|s)\b)[A-Za-z])/y;

const price = (content) => /^\d/.test(content) && /(?<![\\A-Za-z])[A-Za-z]{2,}/.test(content) && !/[\\^_=]/.test(content);

function fits(content, opening) {
  const words = content.trim();
  return words !== "" && !words.includes("`") && content.length <= LONGEST
    && (opening === "$$" || words.length < 4 || /[\\^_=+*/<>|{}\d-]/.test(words));
}

// What begins there: how it is written, what is in it, and whether it stands on its own.
function found(source, at) {
  const opening = source.slice(at, at + 2), closing = PAIRS[opening];
  if (closing) {
    const end = source.slice(0, at + 2 + LONGEST).indexOf(closing, at + 2), content = source.slice(at + 2, end);
    return end < 0 || !fits(content, opening) ? null : [source.slice(at, end + 2), content, opening !== "\\("];
  }
  if (source[at] !== "$") return null;
  DOLLARS.lastIndex = at;
  const match = DOLLARS.exec(source);
  return !match || price(match[1]) ? null : [match[0], match[1], false];
}

// Before escapes, since `\(` is one of Markdown's.
function maths(state, silent) {
  const formula = found(state.src, state.pos);
  if (!formula) return false;
  const [written, content, display] = formula;
  if (!silent) Object.assign(state.push("maths", "", 0), { content, markup: display ? "$$" : "$" });
  state.pos += written.length;
  return true;
}

function display(state, first, last, silent) {
  const from = state.bMarks[first] + state.tShift[first], opening = state.src.slice(from, from + 2);
  if (!["$$", "\\["].includes(opening) || state.sCount[first] - state.blkIndent >= 4) return false;
  let written = "", line = first, end = -1;
  for (; end < 0 && line < Math.min(last, first + 60) && state.sCount[line] >= state.blkIndent; line += 1) {
    written += `${state.getLines(line, line + 1, state.blkIndent, false)}\n`;
    end = written.indexOf(PAIRS[opening], written.indexOf(opening) + 2);
  }
  const content = written.slice(written.indexOf(opening) + 2, end);
  // What stands behind it on its line makes it a part of a sentence.
  if (end < 0 || written.slice(end + 2).trim() || !fits(content, opening)) return false;
  if (silent) return true;
  Object.assign(state.push("maths", "", 0), { content, markup: "$$" });
  state.line = line;
  return true;
}

// In items of lists `[x]` is a box, as in what a model writes.
const TASK = /^\[([ xX])\](?=\s|$)\s?/;

function boxes(state) {
  state.tokens.forEach((item, at) => {
    if (item.type !== "list_item_open") return;
    const inline = state.tokens[at + 2], first = inline?.type === "inline" && inline.children[0];
    const box = first && first.type === "text" && TASK.exec(first.content);
    if (!box) return;
    first.content = first.content.slice(box[0].length);
    item.attrJoin("class", "cr-task");
    inline.children.unshift(Object.assign(new state.Token("task", "", 0), { info: box[1].toLowerCase() }));
  });
}

const md = new MarkdownIt({ html: true, linkify: true });
md.inline.ruler.before("escape", "maths", maths);
md.block.ruler.before("paragraph", "maths", display, { alt: ["paragraph", "blockquote", "list"] });
md.core.ruler.after("inline", "boxes", boxes);
md.renderer.rules.task = (tokens, at) => `<input type="checkbox" disabled${tokens[at].info === "x" ? " checked" : ""}> `;
md.renderer.rules.maths = (tokens, at) => formula(tokens[at].content, tokens[at].markup === "$$");

export const markdown = (source) => md.render(source);
