// Several outputs share this document: none of them takes the place of the others.

import { enliven, measured } from "./html.js";

const { documentElement: page, head, body } = document;
const root = document.getElementById("root");

let drawing = root; // the place of the output that was begun last

export const begin = (place) => { drawing = place; };

// --- what a script writes stands before it, as it would in a page of its own that is still being read

const { write, close } = Document.prototype;

let stream = null;

function opened() {
  const script = document.currentScript;
  if (stream?.script === script) return stream;
  // A parser goes on to fill an element that has been moved: so tags may be cut anywhere, and nothing is read twice.
  const paper = document.implementation.createHTMLDocument("");
  write.call(paper, "<div>");
  const place = paper.body.firstElementChild;
  if (script && root.contains(script)) script.before(place);
  else drawing.append(place);
  stream = { script, paper, place };
  queueMicrotask(finish.bind(null, stream));
  return stream;
}

function finish(done) {
  if (stream === done) stream = null;
  close.call(done.paper);
  enliven(measured(done.place));
}

const written = (end) => function (...texts) {
  write.call(this === document ? opened().paper : this, texts.join("") + end);
};

// To open a document is to empty it.
const kept = (name, instead) => {
  const theirs = Document.prototype[name];
  return function (...given) { return this === document ? instead(...given) : theirs.apply(this, given); };
};

const OURS = {
  write: written(""), writeln: written("\n"), close: kept("close", () => {}),
  open: kept("open", (...given) => (given.length > 2 ? window.open(...given) : document)),
};
for (const [name, value] of Object.entries(OURS)) {
  Object.defineProperty(Document.prototype, name, { value, writable: true, configurable: true, enumerable: true });
}

// --- what a script puts where everything stands becomes a part of its own output

export function keep(places) {
  const put = () => {
    if (!root.isConnected) back();
    places.forEach((place, at) => {
      if (place.parentNode !== root) root.insertBefore(place, at ? places[at - 1].nextSibling : root.firstChild);
    });
  };
  const watch = new MutationObserver(put);
  for (const node of [document, page, body, root]) watch.observe(node, { childList: true });
}

function back() {
  const found = document.body;
  const instead = [...found?.childNodes ?? []];
  if (document.documentElement !== page) document.replaceChildren(page);
  if (found && found !== body) found.remove();
  if (head.parentNode !== page) page.prepend(head);
  if (body.parentNode !== page) page.append(body);
  body.append(root);
  // Their frame is as high as its root: what stood beside it would not be seen.
  (drawing === root ? body : drawing).append(...instead);
}
