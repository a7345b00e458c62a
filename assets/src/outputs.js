// What an Output widget has caught, as nodes: text here, the rest as each kind is drawn elsewhere in the frame.

const BEST = [
  /^application\/vnd\.jupyter\.widget-view\+json$/, /^application\/vnd\.plotly\.v1\+json$/,
  /^application\/vnd\.vega(lite)?\.v\d+([+.]json)?$/, /^text\/html$/, /^text\/markdown$/, /^text\/latex$/,
  /^image\/(png|jpeg|gif|webp)$/, /^image\/svg\+xml$/, /^application\/javascript$/, /^application\/json$/,
];

const EXECUTED = /^application\/vnd\.(bokehjs|holoviews)_(load|exec)\.v0\+json$/;

const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

const string = (value) => (Array.isArray(value) ? value.join("") : String(value ?? ""));

function node(name, className, text = "") {
  return Object.assign(document.createElement(name), { className, textContent: text });
}

// Text as a terminal shows it: colours, and lines that are written over.
function terminal(text, className) {
  const place = node("div", `cr-out cr-text ${className}`);
  const lines = text.split("\n").map((line) => line.replace(/\r+$/, "").split("\r").pop());
  let look = new Set();
  for (const part of lines.join("\n").split(/(\x1b\[[0-9;]*m)/)) {
    const codes = /^\x1b\[([0-9;]*)m$/.exec(part);
    if (!codes) {
      if (part) place.append(node("span", [...look].join(" "), part.replace(/\x1b\[[0-?]*[ -/]*[@-~]/g, "")));
      continue;
    }
    for (const code of codes[1].split(";").map(Number)) {
      if (code === 0) look = new Set();
      else if (code === 1) look.add("cr-bold");
      else if ((code >= 30 && code < 38) || (code >= 90 && code < 98)) {
        look = new Set([...look].filter((name) => !name.startsWith("cr-ink")));
        look.add(`cr-ink-${COLOURS[code % 10]}`);
      }
    }
  }
  return place;
}

// As large as the program says: numbers are CSS pixels, text may be a share of the width.
function sized(image, metadata) {
  const [width, height] = ["width", "height"].map((name) => {
    const [, number, unit] = /^(\d+(?:\.\d+)?)(px|%)?$/.exec(String(metadata?.[name] ?? "").trim()) ?? [];
    return number ? `${number}${unit ?? "px"}` : "";
  });
  image.style.width = width;
  if (width.endsWith("px") && height.endsWith("px")) {
    image.style.aspectRatio = `${Number.parseFloat(width)} / ${Number.parseFloat(height)}`;
  } else if (height.endsWith("px")) image.style.height = height;
}

function picture(kind, data, metadata) {
  const place = node("div", "cr-out cr-image"), image = node("img", "");
  image.src = kind === "image/svg+xml"
    ? `data:${kind};charset=utf-8,${encodeURIComponent(data)}` : `data:${kind};base64,${data.trim()}`;
  sized(image, metadata);
  place.append(image);
  return place;
}

// Gives the node, and what begins when it stands in the page.
export async function drawn(output, draw) {
  const { output_type: type, data = {}, metadata = {} } = output;
  if (type === "stream") return { node: terminal(string(output.text), output.name === "stderr" ? "cr-stderr" : "") };
  if (type === "error") return { node: terminal(string(output.traceback?.join("\n") || `${output.ename}: ${output.evalue}`), "") };
  const plain = string(data["text/plain"]);
  const executed = Object.keys(data).find((each) => EXECUTED.test(each));
  if (executed) {
    const [html, script] = [string(data["text/html"]), string(data["application/javascript"] ?? data[executed])];
    return draw({ kind: executed, data: { html, script: html.includes(script) ? "" : script }, metadata: metadata[executed], plain });
  }
  for (const best of BEST) {
    const kind = Object.keys(data).find((each) => best.test(each));
    if (!kind) continue;
    if (kind.startsWith("image/")) return { node: picture(kind, string(data[kind]), metadata[kind]) };
    const value = kind.endsWith("json") ? data[kind] : string(data[kind]);
    return draw({ kind, data: value, metadata: metadata[kind], plain });
  }
  return { node: terminal(plain, "") };
}
