// What programs show has colours of its own, made for a white page. Text that nobody could read on the ground that
// it stands on is made lighter or darker, and back when the theme changes.

const LEAST = { true: 4.5, false: 2 }; // of contrast: on a dark page as WCAG asks; the other one was made for
const MOST = 4000; // elements that are looked at

const changed = new Map();

// A block may stand within another one.
const themed = (node) => Boolean(node) && (node.closest(".dark") !== null || themed(node.getRootNode().host));

export function mend(place) {
  const least = LEAST[themed(place)];
  for (const [node, colour] of changed) {
    if (node.isConnected && !place.contains(node)) continue;
    node.style.setProperty("color", colour.value, colour.priority);
    changed.delete(node);
  }
  const texts = [...place.querySelectorAll("*")].slice(0, MOST).filter(says);
  // All are read before the first is written, so that the page is laid out once.
  const wrong = texts.map((node) => [node, better(node, least)]).filter(([, colour]) => colour);
  for (const [node, colour] of wrong) {
    const { style } = node;
    changed.set(node, { value: style.getPropertyValue("color"), priority: style.getPropertyPriority("color") });
    style.setProperty("color", colour, "important");
  }
}

const says = (node) => node.style && !node.closest("svg, script, style, .cr-widget, .js-plotly-plot")
  && [...node.childNodes].some((each) => each.nodeType === Node.TEXT_NODE && each.data.trim());

function better(node, least) {
  const ground = groundOf(node), text = numbers(getComputedStyle(node).color);
  if (!ground || !text || text[3] < 0.5 || contrast(ground, text) >= least) return "";
  const [end, name] = light(ground) > 0.18 ? [0, "black"] : [255, "white"];
  for (const share of [0.4, 0.6, 0.8]) {
    const mixed = text.map((each) => each + (end - each) * share);
    if (contrast(ground, mixed) >= least) return `rgb(${mixed.slice(0, 3).map(Math.round).join(" ")})`;
  }
  return name;
}

// What an element stands on; nothing where that is a picture.
function groundOf(node) {
  for (let at = node; at; at = at.parentElement ?? at.getRootNode().host) {
    const { backgroundColor, backgroundImage } = getComputedStyle(at);
    if (backgroundImage !== "none") return null;
    const ground = numbers(backgroundColor);
    if (ground?.[3] > 0.5) return ground;
  }
  return null;
}

function numbers(colour) {
  const found = /^rgba?\(([^)]+)\)$/.exec(colour)?.[1].split(/[\s,/]+/).map(Number);
  return found && [...found.slice(0, 3), found[3] ?? 1];
}

function light(colour) {
  const [red, green, blue] = colour.slice(0, 3).map((each) => {
    const part = each / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [less, more] = [light(one), light(other)].sort((first, second) => first - second);
  return (more + 0.05) / (less + 0.05);
}
