// In place of a larger library: of HTML in a widget's description only what is allowed is left. It stands in a
// closed frame anyway.

export default function sanitize(source, { allowedTags, allowedAttributes }) {
  const { body } = new DOMParser().parseFromString(source, "text/html");
  for (const node of [...body.querySelectorAll("*")].reverse()) {
    const name = node.localName;
    if (["script", "style"].includes(name)) node.remove();
    else if (!allowedTags.includes(name)) node.replaceWith(...node.childNodes);
    const allowed = [...(allowedAttributes["*"] ?? []), ...(allowedAttributes[name] ?? [])];
    for (const { name: attribute } of [...node.attributes]) {
      const fits = allowed.some((each) => each === attribute || (each.endsWith("*") && attribute.startsWith(each.slice(0, -1))));
      if (!fits || /^\s*javascript:/i.test(node.getAttribute(attribute))) node.removeAttribute(attribute);
    }
  }
  return body.innerHTML;
}
