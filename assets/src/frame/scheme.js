// The page has a theme of its own, which a browser does not tell to what is within a closed frame: there,
// `prefers-color-scheme` is the system's. So what asks for that gets an answer from here, and a new one at a switch.

const ASKS = /\(\s*prefers-color-scheme\s*(?::\s*(dark|light)\s*)?\)/gi;
const YES = "(width >= 0px)", NO = "(width < 0px)";
const MOST = 20_000; // rules that are looked at
const LISTENERS = 200; // answers that are told of a switch

let dark = false;
const asked = new Map(); // what holds a condition -> the condition as it was written
const known = new WeakSet(); // style sheets
const answers = new Set();

const asks = (text) => text.search(ASKS) >= 0;
const answered = (text) => text.replace(ASKS, (_, scheme) => (!scheme || (scheme.toLowerCase() === "dark") === dark ? YES : NO));

function fit(media) {
  const text = asked.get(media) ?? media.mediaText;
  if (!asks(text)) return;
  asked.set(media, text);
  media.mediaText = answered(text);
}

function look(sheet) {
  fit(sheet.media);
  const left = [sheet];
  for (let count = 0; left.length && count < MOST; count += 1) {
    let rules;
    try { rules = left.pop().cssRules ?? []; } catch { continue; }
    for (const rule of rules) {
      if (rule.media && !asked.has(rule.media)) fit(rule.media);
      if (rule.cssRules?.length || rule.styleSheet) left.push(rule.styleSheet ?? rule);
    }
  }
}

// Takes what came since into account.
export function schemes() {
  for (const sheet of [...document.styleSheets, ...document.adoptedStyleSheets]) {
    if (known.has(sheet)) continue;
    known.add(sheet);
    look(sheet);
  }
  for (const node of document.querySelectorAll('source[media*="prefers-color-scheme"]')) {
    const written = node.dataset.crMedia ??= node.media;
    node.media = answered(written);
  }
}

export function scheme(isDark) {
  dark = isDark;
  for (const [media, text] of asked) media.mediaText = answered(text);
  for (const node of document.querySelectorAll("source[data-cr-media]")) node.media = answered(node.dataset.crMedia);
  for (const each of answers) each.renew();
  schemes();
}

const theirs = window.matchMedia.bind(window);

class Answer extends EventTarget {
  onchange = null;
  #was;

  constructor(media) {
    super();
    this.media = media;
    this.#was = this.matches;
    theirs(answered(media)).addEventListener("change", () => this.renew());
    if (answers.size < LISTENERS) answers.add(this);
  }

  get matches() { return theirs(answered(this.media)).matches; }

  renew() {
    const { matches, media } = this;
    if (matches === this.#was) return;
    this.#was = matches;
    const event = Object.assign(new Event("change"), { matches, media });
    this.onchange?.(event);
    this.dispatchEvent(event);
  }

  addListener(hear) { this.addEventListener("change", hear); }
  removeListener(hear) { this.removeEventListener("change", hear); }
}

window.matchMedia = (query) => (asks(String(query)) ? new Answer(String(query)) : theirs(query));
