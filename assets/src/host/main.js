// What a host's page loads: it defines the element that stands for a block.

import { Acts } from "./acts.js";
import { element } from "./block.js";
import * as clock from "./clock.js";
import { Frame } from "./frame.js";
import { Line } from "./line.js";

const NAME = "code-runner-output";

if (!customElements.get(NAME)) {
  const base = new URL("../", import.meta.url);
  const token = document.querySelector('meta[name="coderunner-token"]')?.content ?? "";
  const roots = new Set();
  customElements.define(NAME, element(new Line(base, token), new Acts(base, token), base, roots));
  clock.run(roots);
  const repaint = new MutationObserver(() => Frame.repaint());
  for (const node of [document.documentElement, document.body]) {
    repaint.observe(node, { attributes: true, attributeFilter: ["class"] });
  }
}
