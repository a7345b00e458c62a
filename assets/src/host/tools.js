// What a person does with what a block shows: copy it, keep it, look at it large.

import { copy } from "./acts.js";

const NAMES = [
  ["copy-output", "Copy output"], ["download", "Download"], ["expand", "Expand"], ["large", "Pop out"],
  ["scripts", ""],
];

// The buttons, folded behind three dots.
export function tools() {
  const place = document.createElement("details");
  place.className = "cr-tools";
  const head = Object.assign(document.createElement("summary"), { textContent: "···", ariaLabel: "More" });
  place.append(head, ...NAMES.map(([verb, word]) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: word });
    button.dataset.cr = verb;
    return button;
  }));
  return place;
}

const inside = (html) => Object.assign(document.createElement("template"), { innerHTML: html }).content;

function textOf(part) {
  if (typeof part === "string") return inside(part).textContent;
  return typeof part.data === "string" && part.kind !== "text/html" ? part.data : part.plain;
}

export const copyAll = (button, parts) => copy(button, parts.map(textOf).join("\n").trim());

const ENDINGS = [[/html/, "html"], [/markdown/, "md"], [/latex/, "tex"], [/javascript/, "js"], [/json/, "json"]];

function sourceOf({ data, box }) {
  if (typeof data === "string") return data;
  return data === null && box ? `${box.style && `<style>${box.style}</style>\n`}${box.html}` : JSON.stringify(data, null, 1);
}

// The best of what is shown, as a file: a picture, else what acts, else the text.
export function download(parts) {
  const picture = parts.map((part) => typeof part === "string" && inside(part).querySelector("img")).find(Boolean);
  const active = parts.find((part) => typeof part !== "string");
  if (picture) return save(picture.src, /^data:image\/(\w+)/.exec(picture.src)[1]);
  const ending = active ? ENDINGS.find(([kind]) => kind.test(active.kind))?.[1] ?? "txt" : "txt";
  const text = !active ? parts.map(textOf).join("\n") : sourceOf(active);
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  save(url, ending);
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function save(href, ending) {
  Object.assign(document.createElement("a"), { href, download: `output.${ending}` }).click();
}

// In the top layer where it stands, so that nothing in it is loaded again.
export function large(cell, button) {
  if (cell.popover) {
    cell.hidePopover();
    cell.popover = null;
    button.textContent = "Pop out";
    return;
  }
  cell.popover = "manual";
  cell.showPopover();
  button.textContent = "Close";
}
