// Names and alternatives for those who do not see an output: what a chart shows, how large a table is, what a control
// is for. What a program says of it itself is left as it is.

const MOST = 500; // elements of an output that are looked at
const LONGEST = 200; // characters of a name

const short = (text) => String(text ?? "").replace(/<[^>]*>/g, "").replace(/\s+/g, " ").trim().slice(0, LONGEST);
const titled = (title) => short(typeof title === "object" && title !== null ? (Array.isArray(title) ? title.join(" ") : titled(title.text)) : title);
const listed = (all) => [...new Set(all.map(short).filter(Boolean))].slice(0, 8).join(", ");
const spoken = (title, what) => short(title ? `${title}. ${what}` : what);

// --- charts, from their data

const LINES = { lines: "line", "lines+markers": "line", markers: "scatter", none: "area" };

function plotly({ data = [], layout = {} } = {}) {
  const traces = Array.isArray(data) ? data : [];
  const kinds = traces.map(({ type = "scatter", mode } = {}) => (type === "scatter" ? LINES[mode] ?? "line" : type));
  const names = listed(traces.map((each) => each?.name));
  const axes = listed([layout.xaxis?.title, layout.yaxis?.title].map(titled));
  return spoken(titled(layout.title), `Chart: ${[listed(kinds), `${traces.length} series${names ? ` (${names})` : ""}`, axes && `axes ${axes}`]
    .filter(Boolean).join(", ")}`);
}

const marks = (spec, deep = 0) => (typeof spec !== "object" || spec === null || deep > 4 ? [] : [
  typeof spec.mark === "object" ? spec.mark?.type : spec.mark,
  ...(Array.isArray(spec.marks) ? spec.marks.map((each) => each?.type) : []),
  ...["layer", "hconcat", "vconcat", "concat"].flatMap((name) => (Array.isArray(spec[name]) ? spec[name].slice(0, 20).flatMap((each) => marks(each, deep + 1)) : [])),
  ...marks(spec.spec, deep + 1),
].filter((each) => typeof each === "string"));

function vega(spec = {}) {
  const fields = Object.values(spec.encoding ?? {}).map((each) => titled(each?.title) || short(each?.field));
  return spoken(titled(spec.title) || short(spec.description), `Chart: ${[listed(marks(spec)), listed(fields)].filter(Boolean).join(" of ")}`);
}

const UNSAID = "Vega visualization"; // what Vega says of a chart without a description
const CHARTS = [[/plotly/, plotly], [/vega/, vega]];

// --- the rest, as it stands in the page

const CONTROLS = 'input:not([type="hidden"]), select, textarea, button, [role="slider"], [role="textbox"], [role="combobox"], progress, meter';
const KINDS = {
  slider: "Slider", range: "Slider", checkbox: "Box to tick", radio: "Choice", color: "Colour", date: "Date", time: "Time", number: "Number",
  file: "File", select: "Choice", textarea: "Text", button: "Button", progress: "Progress", meter: "Meter", search: "Search", combobox: "Choice",
};
const WIDGET = ".jupyter-widgets", LABEL = ".widget-label, .jupyter-widget-label";

function named(node) {
  if (node.getAttribute("aria-label")?.trim() || node.getAttribute("aria-labelledby") || node.title) return true;
  if ([...node.labels ?? []].some((label) => label.textContent.trim())) return true;
  return node.localName === "button" && (node.textContent.trim() !== "" || Boolean(node.querySelector("img[alt]:not([alt=''])")));
}

function control(node) {
  if (named(node)) return;
  const widget = node.closest(WIDGET), says = short(widget?.querySelector(LABEL)?.textContent) || short(widget?.title) || short(node.placeholder);
  const kind = KINDS[node.getAttribute("role") ?? ""] ?? KINDS[node.type] ?? KINDS[node.localName] ?? "Text";
  const handles = widget ? [...widget.querySelectorAll('[role="slider"]')] : [];
  const which = handles.length === 2 ? [" from", " to"][handles.indexOf(node)] ?? "" : "";
  node.setAttribute("aria-label", (says || kind) + which);
  node.dataset.crNamed = says;
}

// A description that changes is the name that changes.
function again(node) {
  const says = short(node.closest(WIDGET)?.querySelector(LABEL)?.textContent);
  if (says && says !== node.dataset.crNamed) { node.removeAttribute("aria-label"); control(node); }
}

function table(node) {
  if (node.caption || node.getAttribute("aria-label") || node.role) return;
  const rows = Math.max(0, node.rows.length - (node.tHead?.rows.length ?? 0));
  node.setAttribute("aria-label", `Table, ${rows} ${rows === 1 ? "row" : "rows"}, ${node.rows[node.rows.length - 1]?.cells.length ?? 0} columns`);
}

const FOCUS = "a[href], button, input, select, textarea, [tabindex]";

// What scrolls can be scrolled by keys.
function scrolls(node) {
  const over = node.scrollWidth > node.clientWidth + 1 || node.scrollHeight > node.clientHeight + 1;
  if (over && !node.hasAttribute("tabindex") && !node.querySelector(FOCUS)) node.tabIndex = 0;
}

const each = (place, selector, act) => [...place.querySelectorAll(selector)].slice(0, MOST).forEach(act);

// `item`: what the output is, or HTML of ours, which has its names.
export function names(place, item) {
  if (typeof item !== "object" || item === null) return;
  const [, of] = CHARTS.find(([kind]) => kind.test(item.kind)) ?? [];
  const chart = of && place.querySelector(".cr-chart");
  if (chart && [null, "", UNSAID].includes(chart.ariaLabel)) {
    Object.assign(chart, { role: "figure", ariaLabel: of(item.data), ariaRoleDescription: null });
  }
  each(place, CONTROLS, (node) => ("crNamed" in node.dataset ? again(node) : control(node)));
  each(place, "table", table);
  each(place, "img:not([alt])", (node) => { node.alt = short(node.title) || "Picture"; });
  each(place, "canvas:not([aria-label], [role])", (node) => {
    if (!node.closest("[role=figure], [role=img]") && !node.textContent.trim()) Object.assign(node, { role: "img", ariaLabel: short(node.title) || "Drawing" });
  });
  each(place, "iframe:not([title])", (node) => { node.title = "Page within the output"; });
  each(place, ".cr-acts, .cr-acts pre, .cr-json", scrolls);
}
