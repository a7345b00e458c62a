// How many pieces of text of a place nobody could read.
(place) => {
  const light = (rgb) => rgb.map((v) => v / 255).map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [.2126, .7152, .0722][at], 0);
  const parts = (colour) => /^rgba?\(([^)]+)\)$/.exec(colour)?.[1].split(/[\s,/]+/).map(Number);
  const around = (node) => node.parentElement ?? node.getRootNode().host;
  function* texts(root) {
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    if (root.shadowRoot) yield* texts(root.shadowRoot);
    while (walk.nextNode()) {
      const { currentNode } = walk;
      if (currentNode.nodeType === Node.TEXT_NODE) yield currentNode;
      else if (currentNode.shadowRoot) yield* texts(currentNode.shadowRoot);
    }
  }
  let pale = 0;
  for (const text of texts(place)) {
    const node = around(text);
    if (!text.data.trim() || !node.checkVisibility() || node.closest("svg, script, style, noscript")) continue;
    let at = node, ground = null;
    for (; at && !ground; at = around(at)) {
      const { backgroundColor, backgroundImage } = getComputedStyle(at);
      if (backgroundImage !== "none") break;
      const rgb = parts(backgroundColor);
      if (rgb && (rgb[3] ?? 1) > .5) ground = rgb.slice(0, 3);
    }
    if (at && !ground) continue;
    const ink = parts(getComputedStyle(node).color);
    if (!ink) continue;
    ground ??= matchMedia("(prefers-color-scheme: dark)").matches ? [27, 27, 31] : [255, 255, 255];
    const [less, more] = [light(ground), light(ink.slice(0, 3))].sort((one, other) => one - other);
    if ((more + .05) / (less + .05) < 1.6) pale += 1;
  }
  return pale;
}
