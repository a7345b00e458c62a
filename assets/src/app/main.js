// The page that a host of MCP Apps shows for a call of the tool that runs code: the block, as our own pages show it.
// It loads nothing by itself; everything comes through the host.

import * as boxes from "../boxes.js";
import * as formula from "../formula.js";
import { have } from "../host/beside.js";
import { element } from "../host/block.js";
import * as clock from "../host/clock.js";
import { Frame } from "../host/frame.js";
import * as box from "../host/box.js";
import * as missing from "../host/missing.js";
import { Bridge } from "./bridge.js";
import { ToolLine } from "./line.js";
import { shown } from "./otherwise.js";

const TOOL = "block_page", BLOCK = "coderunner/block", PROGRAMS = "ui://coderunner/programs/";
const pages = JSON.parse(document.getElementById("frames").textContent);
const place = document.querySelector("main");
const roots = new Set();

have({ "boxes.js": boxes, "missing.js": missing, "formula.js": formula });

const bridge = new Bridge({
  "ui/notifications/tool-result": show,
  "ui/notifications/host-context-changed": paint,
  "ui/resource-teardown": () => place.replaceChildren(),
});

async function call(what) {
  const { isError, structuredContent } = await bridge.ask("tools/call", { name: TOOL, arguments: what });
  if (isError) throw new Error("the server does not answer");
  return structuredContent;
}

async function text(name) {
  const { contents } = await bridge.ask("resources/read", { uri: PROGRAMS + name });
  return contents[0].text;
}

// A program of ours with its style sheet; without any text where it cannot be had.
const STYLED = new Set(["text", "widgets", "ipympl"]);
async function program(name) {
  try {
    const [script, style] = await Promise.all([text(`${name}.js`), STYLED.has(name) ? text(`${name}.css`) : ""]);
    return { script, style };
  } catch {
    return {};
  }
}

formula.readBy(async () => {
  const [script, sheet] = await Promise.all([text("text.js"), text("formula.css")]);
  document.head.append(Object.assign(document.createElement("script"), { textContent: script }));
  return sheet;
});

// What earlier blocks loaded.
const loaders = {
  shunned: new Set(),
  shun(name) { this.shunned.add(name); },
  async get(names) {
    const wanted = names.filter((name) => !this.shunned.has(name));
    const texts = await Promise.all(wanted.map((loader) => call({ loader }).then((told) => told.text, () => "")));
    return wanted.map((name, at) => ({ name, text: texts[at] })).filter((each) => each.text);
  },
};

// Nothing is run or stopped from here, and no file is shown.
const acts = {
  listen(root, own) {
    root.addEventListener("click", ({ target }) => {
      const button = target instanceof Element && target.closest("button[data-cr]");
      if (button && button.dataset.cr in own) own[button.dataset.cr](button);
    });
  },
};
const files = { watch() {}, leave() {}, address: () => "", preview: async () => ({ kind: "none", why: "" }) };
const frames = { open: (node, level) => { node.srcdoc = pages[level]; }, program };
const NAME = "code-runner-output";
customElements.define(NAME, element(new ToolLine(call), acts, files, loaders, null, roots, frames));
clock.run(roots);

// The block that the call ran; where the server has it no more, what the result says.
function show(result) {
  const block = document.createElement(NAME), id = result._meta?.[BLOCK];
  block.append(...shown(result.content ?? []));
  if (id) block.dataset.cr = id;
  place.replaceChildren(block);
}

function paint({ theme } = {}) {
  if (!theme) return;
  document.documentElement.classList.toggle("dark", theme === "dark");
  Frame.repaint();
  box.repaint(roots);
}

// A page of a host opens nothing by itself.
addEventListener("click", (event) => {
  const link = event.composedPath().find((each) => each instanceof HTMLAnchorElement && each.target === "_blank");
  if (!link) return;
  event.preventDefault();
  bridge.ask("ui/open-link", { url: link.href }).catch(() => {});
});

let told = 0;
new ResizeObserver(() => {
  const height = Math.ceil(place.getBoundingClientRect().height);
  if (height === told) return;
  told = height;
  bridge.tell("ui/notifications/size-changed", { height });
}).observe(place);

bridge.begin().then(({ hostContext }) => paint(hostContext));
