// Markdown and LaTeX, for closed frames: loaded when something needs them.

import katex from "katex";
import MarkdownIt from "markdown-it";

const escape = (text) => text.replace(/[&<>"]/g, (each) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[each]);

function formula(source, displayMode) {
  return katex.renderToString(source, { displayMode, throwOnError: false, trust: false, maxExpand: 1000 });
}

// What stands between the marks that notebooks know; all of it is a formula where there are none.
const WHOLE = /^(\$\$|\\\[|\$|\\\()([\s\S]*?)(?:\$\$|\\\]|\$|\\\))$/;

export function latex(source) {
  const [, mark, inner] = WHOLE.exec(source.trim()) ?? [null, "$$", source.trim()];
  return /^\\begin\{(?:table|tabular)/.test(inner) ? `<pre>${escape(source)}</pre>`
    : formula(inner.replace(/^\\displaystyle\s*/, ""), mark === "$$" || mark === "\\[" || /^\\displaystyle/.test(inner));
}

const INLINE = /^(?:\$\$([^$]+)\$\$|\$(?!\s)((?:\\.|[^$\\\n])+?)(?<!\s)\$(?!\d)|\\\((.+?)\\\))/s;

// Before escapes, since `\(` is one of Markdown's.
function maths(state, silent) {
  const found = INLINE.exec(state.src.slice(state.pos));
  if (!found) return false;
  if (!silent) {
    const [, block, dollars, brackets] = found;
    Object.assign(state.push("maths", "", 0), { content: block ?? dollars ?? brackets, markup: block ? "$$" : "$" });
  }
  state.pos += found[0].length;
  return true;
}

function display(state, first, last, silent) {
  const from = state.bMarks[first] + state.tShift[first];
  const [open, shut] = state.src.startsWith("$$", from) ? ["$$", "$$"] : ["\\[", "\\]"];
  if (!state.src.startsWith(open, from)) return false;
  const end = state.src.indexOf(shut, from + 2);
  if (end < 0 || end > state.eMarks[last - 1]) return false;
  if (silent) return true;
  let line = first;
  while (state.eMarks[line] < end) line += 1;
  Object.assign(state.push("maths", "", 0), { content: state.src.slice(from + 2, end), markup: "$$" });
  state.line = line + 1;
  return true;
}

const md = new MarkdownIt({ html: true, linkify: true });
md.inline.ruler.before("escape", "maths", maths);
md.block.ruler.before("paragraph", "maths", display, { alt: ["paragraph", "blockquote", "list"] });
md.renderer.rules.maths = (tokens, at) => formula(tokens[at].content, tokens[at].markup === "$$");

export const markdown = (source) => md.render(source);
