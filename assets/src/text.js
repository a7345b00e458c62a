// Markdown and LaTeX, for closed frames: loaded when something needs them.

import katex from "katex";
import MarkdownIt from "markdown-it";

const LONGEST = 2000; // characters of a formula

const escape = (text) => text.replace(/[&<>"]/g, (each) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[each]);

// Environments that are formulas by themselves. Those of LaTeX that KaTeX does not know are like one that it knows.
const ENVIRONMENTS = "equation|align|alignat|gather|multline|flalign|eqnarray|displaymath|math|[pbvVB]?matrix|smallmatrix|r?cases|array|split|aligned|alignedat|gathered|CD";
const BEGIN = new RegExp(String.raw`\\begin\{((?:${ENVIRONMENTS})\*?)\}`, "y");
const LIKE = { multline: "gather", flalign: "align", eqnarray: "align" };
const TOP = /^\s*\\begin\{(?:equation|align|alignat|gather|CD)\*?\}/; // KaTeX takes these in display only

// The environment that begins there, to its own end; empty where none does.
function environment(source, at) {
  BEGIN.lastIndex = at;
  const name = BEGIN.exec(source)?.[1];
  if (!name) return "";
  const marks = new RegExp(String.raw`\\(begin|end)\{${name.replace("*", "\\*")}\}`, "g");
  const near = source.slice(at, at + LONGEST);
  let deep = 0;
  for (const { 1: mark, 0: written, index } of near.matchAll(marks)) {
    deep += mark === "begin" ? 1 : -1;
    if (deep === 0) return near.slice(0, index + written.length);
  }
  return "";
}

// As KaTeX takes it: without labels and numbers, which no notebook shows either.
function known(source) {
  return source
    .replace(/\\label\s*\{[^{}]*\}/g, "")
    .replace(/\\(?:eq)?ref\s*\{([^{}]*)\}/g, "\\text{($1)}")
    .replace(/\\(?:begin|end)\{(?:displaymath|math)\}/g, "")
    .replace(/\\begin\{eqnarray\*?\}[\s\S]*?\\end\{eqnarray\*?\}/g, (all) => all.replace(/&([^&\\\n]{0,40})&/g, "&$1"))
    .replace(/\\(begin|end)\{(equation|align|alignat|gather|multline|flalign|eqnarray)\*?\}/g, (_, mark, name) => `\\${mark}{${LIKE[name] ?? name}*}`);
}

export function formula(source, displayMode, throwOnError = false, macros = {}) {
  const text = known(source), options = { throwOnError, trust: false, maxExpand: 1000, globalGroup: true, macros };
  return katex.renderToString(text, { ...options, displayMode: displayMode || TOP.test(text) });
}

const CLOSING = { $$: "$$", $: "$", "\\[": "\\]", "\\(": "\\)" };
const MARK = /\\begin\{|\\[[(]|\$\$?|\\[\s\S]/g;

// The formulas of a text and the words between them, in order: `[words]` or `[inner, display]`.
function* parts(source) {
  const none = new Set(); // marks that are closed nowhere from here on
  let from = 0;
  MARK.lastIndex = 0;
  for (let mark; (mark = MARK.exec(source));) {
    const { 0: opening, index } = mark, closing = CLOSING[opening];
    let written = "", inner = "";
    if (opening === "\\begin{") written = inner = environment(source, index);
    else if (closing && !none.has(closing)) {
      const end = source.indexOf(closing, index + opening.length);
      if (end < 0) none.add(closing);
      else [written, inner] = [source.slice(index, end + closing.length), source.slice(index + opening.length, end)];
    }
    if (!inner.trim()) continue;
    yield [source.slice(from, index)];
    yield [inner, opening === "$$" || opening === "\\[" || opening === "\\begin{"];
    MARK.lastIndex = from = index + written.length;
  }
  yield [source.slice(from)];
}

const TABLE = /^\s*\\begin\{(?:table|tabular|longtable)/;
const DISPLAYED = /^\s*\\displaystyle\s*/;
const says = (words) => escape(words.replaceAll("\\$", "$").replace(/\\(?:eq)?ref\{([^{}]*)\}/g, "($1)")).replace(/\n[ \t]*\n+/g, "<br><br>");

// The formulas of a text are set one after the other, each when there is time: until then its source has its place.
class Formulas extends Array {
  place(source, display, macros) {
    this.push(() => formula(source, display, false, macros));
    return `<span data-cr-formula="${this.length - 1}">${escape(source)}</span>`;
  }
}

// LaTeX as notebooks show it: formulas between their marks, and the words around them; all of it is a formula where
// there are no marks. Gives `{ html, formulas }`, as `markdown` does.
export function latex(source) {
  const all = [...parts(source)].filter(([text]) => text.trim()), macros = {}, formulas = new Formulas();
  const [[inner = "", display] = [source, true]] = all;
  if (TABLE.test(source) || (all.length === 1 && TABLE.test(inner))) return { html: `<pre>${escape(source)}</pre>`, formulas };
  if (all.length <= 1) {
    const html = formulas.place(inner.replace(DISPLAYED, ""), (display ?? true) || DISPLAYED.test(inner));
    return { html, formulas };
  }
  const html = all.map(([text, shown]) => (shown === undefined ? says(text) : formulas.place(text, shown, macros))).join("");
  return { html, formulas };
}

// The rules are those that the chat app has for what a model writes: beside formulas stand prices, variables of
// shells and escaped brackets, which are none.
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
  if (opening === "\\b") {
    const written = environment(source, at);
    return written === "" || written.includes("`") ? null : [written, written, true];
  }
  if (source[at] !== "$") return null;
  DOLLARS.lastIndex = at;
  const match = DOLLARS.exec(source);
  return !match || price(match[1]) ? null : [match[0], match[1], false];
}

// In texts that are no Markdown: so many marks are looked at, and so often may be none what begins with a backslash.
const MARKS = 20_000, TRIES = 1000;
const OPENS = /\\begin\{|\\[\s\S]|\$/g, SLASHED = new Set(["\\(", "\\[", "\\begin{"]);

// Gives what reads the texts of one output: of each, in order, words and `{ written, html() }` of formulas. A line break
// is a space, as in HTML. What KaTeX cannot set stands as it is written.
export function reader() {
  let marks = MARKS, tries = TRIES;
  const macros = {};
  return (text) => {
    const source = text.replaceAll("\n", " "), parts = [];
    let begun = 0;
    OPENS.lastIndex = 0;
    for (let mark; marks > 0 && (mark = OPENS.exec(source)); marks -= 1) {
      const [opening] = mark, slashed = opening !== "$";
      if (slashed && !(tries && SLASHED.has(opening))) continue;
      const formula = found(source, mark.index);
      if (!formula) {
        if (slashed) tries -= 1;
        continue;
      }
      const [written, content, display] = formula, end = mark.index + written.length;
      parts.push(text.slice(begun, mark.index), { written, html: () => drawn(content, display, macros) });
      OPENS.lastIndex = begun = end;
    }
    return [...parts, text.slice(begun)];
  };
}

function drawn(content, display, macros) {
  try {
    return formula(content, display, true, macros);
  } catch {
    return "";
  }
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

// Where the environment that begins there has its end; -1 where it has none.
const ended = (source, at) => { const { length } = environment(source, at); return length ? at + length : -1; };

function block(state, written, end, line, silent) {
  const content = written.slice(0, end).trim();
  if (end < 0 || written.slice(end).trim() || content.includes("`")) return false;
  if (silent) return true;
  Object.assign(state.push("maths", "", 0), { content, markup: "$$" });
  state.line = line;
  return true;
}

function display(state, first, last, silent) {
  const from = state.bMarks[first] + state.tShift[first], opening = state.src.slice(from, from + 2);
  if (!["$$", "\\[", "\\b"].includes(opening) || state.sCount[first] - state.blkIndent >= 4) return false;
  let written = "", line = first, end = -1;
  for (; end < 0 && line < Math.min(last, first + 60) && state.sCount[line] >= state.blkIndent; line += 1) {
    written += `${state.getLines(line, line + 1, state.blkIndent, false)}\n`;
    const start = written.indexOf(opening);
    end = opening === "\\b" ? ended(written, start) : written.indexOf(PAIRS[opening], start + 2);
  }
  if (opening === "\\b") return block(state, written, end, line, silent);
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
md.renderer.rules.task = (tokens, at) => `<input type="checkbox" aria-label="Task" disabled${tokens[at].info === "x" ? " checked" : ""}> `;
md.renderer.rules.maths = (tokens, at, _options, { formulas }) => formulas.place(tokens[at].content, tokens[at].markup === "$$");

export function markdown(source) {
  const formulas = new Formulas();
  return { html: md.render(source, { formulas }), formulas };
}
