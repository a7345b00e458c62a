// Whether something is to be seen in a place. Also within frames of HTML that an output brings.

// What is seen without a word in it.
export const SEEN = "img, svg, video, audio, canvas, iframe, object, embed, math, hr, input, button, select, textarea, progress, meter";
const STROKES = "path, rect, circle, ellipse, line, polyline, polygon, text, image, use, foreignObject";
const MOST = 2000; // elements that are looked at
const SHADOWS = 200; // of them, too
const LONG = 1000; // characters; who says more says something

// What libraries say in place of what is not there; here it would be wrong advice.
const ADVICE = [
  /Make this Notebook Trusted to load map: File -> Trust Notebook/g,
  /3Dmol\.js failed to load for some reason\.\s+Please check your browser console for error messages\./g,
  /Visualization omitted, Javascript library not loaded!/g,
  /Have you run `initjs\(\)` in this notebook\?/g,
  /If this notebook was from another user you must also trust this notebook \(File -> Trust notebook\)\./g,
  /If you are viewing this notebook on github the Javascript has been stripped for security\./g,
  /If you are using JupyterLab this error is because a JupyterLab extension has not yet been written\./g,
  /^Loading ITables.{0,40} from the internet\.\.\.\s*\(need help\?\)/g,
  /^Loading\b[^.…\n]{0,60}(?:\.\.\.|…)/g,
  /(?:In a Jupyter environment, )?please rerun this cell to show the HTML representation or trust the notebook\./gi,
];

// Where something was refused, or a script failed: also that it is still being loaded, or could not be.
const FAILED = /^loading\b[^.…]{0,60}(?:\.\.\.|…).{0,200}$|^(?:error: )?(?:could not|couldn.t|cannot|can.t|failed to|unable to) (?:load|fetch|download)\b[^.!]{0,80}[.!]?(?: please (?:refresh|reload|try)\b[^.!]{0,40}[.!]?)?$/i;

export function words(text, refused = false) {
  text = text.replace(/\s+/g, " ").trim();
  if (refused && FAILED.test(text)) return "";
  for (const each of ADVICE) text = text.replace(each, "");
  return text.trim();
}

const there = (node) => node.checkVisibility?.({ visibilityProperty: true }) ?? true;

function picture(node) {
  if (node.classList.contains("cr-refused")) return false;
  const name = node.localName;
  if (name === "img") return !(node.complete && node.naturalWidth === 0);
  // One with a script of ours in it says by itself whether it shows anything.
  if (name === "iframe" && (node.getAttribute("srcdoc") ?? "").includes("/inside.js\"")) return "crSeen" in node.dataset;
  if (name === "svg") return node.querySelector(STROKES) !== null;
  return true;
}

function large(node) {
  const { width, height } = node.getBoundingClientRect();
  return width > 1 && height > 1;
}

// A box that is nothing but its colour is a swatch, or a bar of a chart.
function coloured(node) {
  const { backgroundColor, backgroundImage, borderTopWidth, borderLeftWidth } = getComputedStyle(node);
  return (backgroundImage !== "none" || !/^(transparent|rgba\(.*, 0\))$/.test(backgroundColor)
    || borderTopWidth !== "0px" || borderLeftWidth !== "0px") && large(node) && there(node);
}

// Says something else than what libraries say where something is missing.
function speaks(place, refused) {
  const walk = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  let text = "";
  for (let left = MOST; left && text.length < LONG && walk.nextNode(); left -= 1) {
    const { data, parentNode } = walk.currentNode;
    const parentElement = parentNode instanceof ShadowRoot ? parentNode.host : parentNode; // a link has a host, too
    if (data.trim() && there(parentElement) && !parentElement.closest("[hidden], iframe, noscript")) text += data;
  }
  return text.length >= LONG || words(text, refused) !== "";
}

// A place, and the shadows in it: there BokehJS draws all that it draws.
function roots(place) {
  const found = [place];
  for (const root of found) {
    if (found.length > SHADOWS) break;
    const hosts = [...root.querySelectorAll("*")].slice(0, MOST);
    found.push(...hosts.map((node) => node.shadowRoot).filter(Boolean));
  }
  return found;
}

// Whether `place`, which stands in the page, shows nothing that a person would look at. `refused`: something was refused to it, or failed.
export const hollow = (place, refused) => roots(place).every((root) => empty(root, refused));

function empty(place, refused) {
  if (speaks(place, refused)) return false;
  const seen = [...place.querySelectorAll(SEEN)].slice(0, MOST);
  if (seen.some((node) => picture(node) && there(node) && large(node))) return false;
  const boxes = [...place.querySelectorAll(":not(script, style, iframe, .cr-refused)")].slice(0, MOST);
  return !boxes.some(coloured);
}
