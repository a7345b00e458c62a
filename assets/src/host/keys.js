// What keys do on the page, wherever the cursor is: never while somebody types.

const FIELDS = "input, textarea, select, [contenteditable=''], [contenteditable='true']";
const QUIET = 1000; // milliseconds after the last letter in a field that is empty now

const OURS = [
  ["Alt + Enter", "Run the code that waits for your approval"],
  ["Alt + Backspace", "Skip it"],
  ["Alt + .", "Stop the block that runs; the reply goes on"],
  ["Enter", "Edit the code that has the focus"],
  ["Ctrl + Enter, Shift + Enter", "In the editor: run the code"],
  ["Ctrl + Space", "In the editor: complete a name"],
  ["Esc", "In the editor: leave it; elsewhere: close what is open"],
  ["?", "Show this list"],
];

let typed = -Infinity;

// Where somebody types, a key is a letter. A field that is empty, and has been for a moment, waits for the next
// message: there a key with Alt is meant for the page.
function types(event) {
  const field = event.composedPath().find((each) => each instanceof Element && each.matches(FIELDS));
  if (!field) return false;
  const empty = "value" in field && field.localName === "textarea" && !field.value;
  return !(empty && event.altKey && performance.now() - typed > QUIET);
}

// What is pressed in a block is meant for it, where somebody types, where it did something, and where it moves
// what has the focus: pages have keys of their own. text-generation-webui writes a reply anew at Ctrl+Enter, and at
// an arrow, since it sees no field in a block. Other keys with Ctrl or Alt, and Escape, are the page's as well.
export function keepInside(event) {
  const { target, key } = event;
  const plain = !(event.ctrlKey || event.altKey || event.metaKey) && key !== "Escape";
  if (target.closest(FIELDS) || event.defaultPrevented || (plain && !target.closest("button, a, summary"))) event.stopPropagation();
}

export function listen(roots) {
  // A person's: scripts of pages tell them things through fields, too.
  addEventListener("input", (event) => { if (event.isTrusted) typed = performance.now(); }, true);
  const last = (verb) => [...roots].flatMap((root) => [...root.querySelectorAll(`.cr-bar button[data-cr="${verb}"]`)])
    .filter((button) => button.checkVisibility?.() ?? true).sort(order).at(-1);
  const pressed = {
    "Alt+Enter": () => last("run"),
    "Alt+Backspace": () => last("skip"),
    "Alt+.": () => last("stop"),
  };
  addEventListener("keydown", (event) => {
    if (event.repeat || event.isComposing || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
    if (event.key === "?" && !event.altKey && !types(event)) {
      event.preventDefault();
      return show();
    }
    const find = event.altKey && pressed[`Alt+${event.key}`];
    const button = find && !types(event) && find();
    if (!button) return;
    event.preventDefault();
    event.stopPropagation();
    button.click();
  }, true);
}

// Of two elements in different shadow roots: which stands first on the page.
function order(one, other) {
  const [a, b] = [one, other].map((each) => each.getRootNode().host);
  return a === b ? 0 : a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1;
}

function show() {
  const dialog = document.createElement("dialog");
  dialog.className = "cr-keys";
  dialog.ariaLabel = "Keyboard shortcuts";
  const list = document.createElement("dl");
  for (const [keys, what] of [...(window.coderunner?.shortcuts ?? []), ...OURS]) {
    const name = document.createElement("dt");
    name.append(...keys.split(/( \+ |, )/).map((part, at) => (at % 2 ? part : Object.assign(document.createElement("kbd"), { textContent: part }))));
    list.append(name, Object.assign(document.createElement("dd"), { textContent: what }));
  }
  const head = Object.assign(document.createElement("h3"), { textContent: "Keyboard shortcuts" });
  const close = Object.assign(document.createElement("button"), { type: "button", textContent: "Close" });
  close.onclick = () => dialog.close();
  dialog.append(head, list, close);
  dialog.addEventListener("click", ({ target }) => { if (target === dialog) dialog.close(); });
  const before = document.activeElement;
  dialog.addEventListener("close", () => { dialog.remove(); before?.focus?.(); });
  document.body.append(dialog);
  dialog.showModal();
}
