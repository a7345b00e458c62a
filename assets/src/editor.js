// The editor of a block's code, loaded when a person first edits one.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, completionStatus } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState, Prec } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, hoverTooltip, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

// The colours of the page, as blocks have them.
const COLOURS = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--cr-k)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--cr-s)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--cr-n)" },
  { tag: tags.comment, color: "var(--cr-c)", fontStyle: "italic" },
  { tag: [tags.function(tags.definition(tags.variableName)), tags.definition(tags.className), tags.meta],
    color: "var(--cr-f)" },
  { tag: tags.standard(tags.name), color: "var(--cr-b)" },
]);

const LOOK = EditorView.theme({
  "&": { backgroundColor: "var(--cr-code)", color: "var(--cr-ink)", fontSize: "13px", maxHeight: "min(70vh, 640px)" },
  "&.cm-focused": { outline: "2px solid var(--cr-run)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--cr-mono)", lineHeight: "1.55", overflow: "auto" },
  ".cm-content": { padding: "12px 0", caretColor: "var(--cr-ink)" },
  ".cm-cursor": { borderLeftColor: "var(--cr-ink)" },
  ".cm-line": { padding: "0 16px 0 8px" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--cr-soft)", border: "0" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "32px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--cr-tint)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground":
    { background: "color-mix(in srgb, var(--cr-run) 25%, transparent)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "color-mix(in srgb, var(--cr-run) 22%, transparent)" },
  ".cm-tooltip": { backgroundColor: "var(--cr-bg)", color: "var(--cr-ink)", border: "1px solid var(--cr-line)",
    borderRadius: "6px", boxShadow: "0 6px 24px rgba(0, 0, 0, .18)", overflow: "hidden" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--cr-mono)", fontSize: "12.5px", maxHeight: "14em" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--cr-run)", color: "var(--cr-on-run)" },
  ".cm-completionIcon": { display: "none" },
  ".cm-completionDetail": { marginLeft: "1em", opacity: ".7", fontStyle: "normal" },
  ".cr-hover": { margin: "0", padding: "8px 12px", maxWidth: "min(80vw, 44em)", maxHeight: "18em", overflow: "auto",
    font: "12px/1.5 var(--cr-mono)", whiteSpace: "pre-wrap", overflowWrap: "anywhere" },
});

// What the kernel knows of a name: its words are text here, whatever they are.
function completions(ask) {
  return async (context) => {
    const word = context.matchBefore(/[\w.]+/);
    if (!context.explicit && !(word && /[\w.]$/.test(word.text))) return null;
    const answer = await ask(context.state.doc.toString(), context.pos);
    if (!answer?.matches?.length || context.aborted) return null;
    const options = answer.matches.map(({ text, kind }) => ({ label: text, detail: kind }));
    return { from: answer.from, to: answer.to, options, validFor: /^[\w.]*$/ };
  };
}

function hints(ask) {
  return hoverTooltip(async (view, pos) => {
    const word = view.state.wordAt(pos);
    // The name alone: within a call, IPython tells of what is called.
    const name = word && /[\p{L}\p{N}_.]+$/u.exec(view.state.sliceDoc(view.state.doc.lineAt(pos).from, word.to))?.[0];
    const text = name && await ask(name, name.length);
    if (!text) return null;
    return {
      pos: word.from, end: word.to, above: true,
      create: () => ({ dom: Object.assign(document.createElement("pre"), { className: "cr-hover", textContent: text }) }),
    };
  }, { hoverTime: 500 });
}

// What Escape closes before the editor: names that are offered, not those that are still looked for.
const opened = (state) => completionStatus(state) === "active" || state.selection.ranges.length > 1;

// `run` and `leave` are called by keys, `changed` with each new text.
export function create({ parent, root, text, isPython, label, run, leave, changed, complete, inspect }) {
  const act = (done) => () => { done(); return true; };
  const sources = complete ? [autocompletion({ override: [completions(complete)], icons: false })] : [];
  const view = new EditorView({
    parent, root,
    state: EditorState.create({
      doc: text,
      extensions: [
        // Before all others: these run the code. Escape first closes what is open above the editor.
        Prec.highest(keymap.of([
          ...["Shift-Enter", "Mod-Enter", "Ctrl-Enter"].map((key) => ({ key, run: act(run) })),
          { key: "Escape", run: (view) => !opened(view.state) && act(leave)(), stopPropagation: true },
        ])),
        ...sources, ...(inspect ? [hints(inspect)] : []),
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
        lineNumbers(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(),
        highlightActiveLine(), EditorState.tabSize.of(4), indentUnit.of("    "), syntaxHighlighting(COLOURS), LOOK,
        ...(isPython ? [python()] : []),
        EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", autocapitalize: "off" }),
        EditorView.updateListener.of((update) => { if (update.docChanged) changed(update.state.doc.toString()); }),
      ],
    }),
  });
  return {
    get text() { return view.state.doc.toString(); },
    focus: () => view.focus(),
    close: () => view.destroy(),
  };
}
