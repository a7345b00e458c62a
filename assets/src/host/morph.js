// Makes a piece of the page look like some HTML of ours, and leaves every element in place that can stay: the
// cursor, what was typed, what was unfolded and scrolled remain.

export function morph(place, html) {
  const wanted = document.createElement("template");
  wanted.innerHTML = html;
  children(place, wanted.content);
}

function children(here, there) {
  let node = here.firstChild;
  for (const want of [...there.childNodes]) {
    if (node?.isEqualNode(want)) {
      node = node.nextSibling;
    } else if (node && alike(node, want)) {
      adapt(node, want);
      node = node.nextSibling;
    } else {
      here.insertBefore(want, node);
    }
  }
  while (node) {
    const next = node.nextSibling;
    node.remove();
    node = next;
  }
}

// A button that does something else is another button: nobody shall press Stop who meant Skip.
function alike(node, want) {
  return node.nodeName === want.nodeName
    && node.dataset?.cr === want.dataset?.cr
    && (node.nodeName !== "BUTTON" || node.dataset.crTicket === want.dataset.crTicket);
}

function adapt(node, want) {
  if (node.nodeType !== Node.ELEMENT_NODE) {
    if (node.data !== want.data) node.data = want.data;
    return;
  }
  // A clock runs here by itself.
  if (want.dataset.crClock && node.dataset.crClock === want.dataset.crClock) return;
  for (const { name } of [...node.attributes]) {
    if (name !== "open" && !want.hasAttribute(name)) node.removeAttribute(name);
  }
  for (const { name, value } of want.attributes) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
  children(node, want);
}
