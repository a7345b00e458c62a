// What a host's page loads: it defines the element that stands for a block.

import * as box from "./box.js";
import { Acts } from "./acts.js";
import { element } from "./block.js";
import * as clock from "./clock.js";
import { Files } from "./files.js";
import * as keys from "./keys.js";
import { Frame } from "./frame.js";
import { Line } from "./line.js";
import { Loaders } from "./loaders.js";
import { served } from "./served.js";

const NAME = "code-runner-output";

if (!customElements.get(NAME)) {
  const base = new URL("../", import.meta.url);
  const token = document.querySelector('meta[name="coderunner-token"]')?.content ?? "";
  const roots = new Set();
  customElements.define(NAME, element(new Line(base, token), new Acts(base, token), new Files(base, token), new Loaders(base, token), base, roots, { open: served(base) }));
  clock.run(roots);
  keys.listen(roots);
  const repaint = new MutationObserver(() => {
    Frame.repaint();
    box.repaint(roots);
  });
  for (const node of [document.documentElement, document.body]) {
    repaint.observe(node, { attributes: true, attributeFilter: ["class"] });
  }
}
