// What an output cannot show here, as one sentence, with what a person can do instead. What a frame says of that is a
// stranger's: only what is checked is said, as text, and nothing is asked elsewhere before a person presses a link.

const MOST = 30; // causes that are read
const NAMED = 3; // hosts that are named
const OFFLINE = "outputs have no access to the network";

const KINDS = ["page", "file", "tile", "program", "data", "look", "icons", "picture", "media", "scripts", "broken", "mute"];
const FILE = /^[^\p{C}]{1,500}$/u;

// A message of a frame, as far as it is one.
export function checked({ says, hollow, failed, causes }) {
  const known = Array.isArray(causes) ? causes.slice(0, MOST) : [];
  return {
    says: says === true,
    hollow: hollow === true,
    failed: typeof failed === "string" ? failed.replace(/[\p{C}\s]+/gu, " ").trim().slice(0, 200) : "",
    causes: known.map(cause).filter(Boolean),
  };
}

function cause(each) {
  const { what, url, count } = each ?? {};
  if (!KINDS.includes(what) || typeof url !== "string" || url.length > 2000) return null;
  const many = Number.isInteger(count) && count > 1;
  if (what === "file") return FILE.test(url) ? { what, path: url, many } : null;
  if (!url) return ["page", "scripts", "broken", "mute"].includes(what) ? { what, host: "", url: "", many } : null;
  try {
    const { protocol, host, href } = new URL(url);
    return /^(https?|wss?):$/.test(protocol) && host ? { what, host: host.slice(0, 100), url: href, many } : null;
  } catch {
    return null;
  }
}

const listed = (names) => {
  const all = [...new Set(names)], rest = all.length - NAMED;
  const shown = rest > 0 ? [...all.slice(0, NAMED), `${rest} more`] : all;
  return shown.length > 1 ? `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}` : shown.join("");
};

// The gravest first; each gives the sentence for the causes of its kind, of all causes.
const SENTENCES = [
  ["page", (own) => (own.some(({ host }) => host)
    ? `This output shows a page of ${hosts(own)}, which is not loaded: ${OFFLINE}.`
    : "This output shows a page within a page, which is not loaded: its address is not allowed in outputs.")],
  ["file", ([{ path }]) => `This output shows the file ${path}, which outputs cannot read.`],
  ["tile", (own) => `The background of this map is not loaded: it comes from ${hosts(own)}, and ${OFFLINE}.`],
  [/^(program|data|look)$/, (own, hollow) => `${hollow ? "This output cannot be shown" : "A part of this output may be missing"}: `
    + `it needs ${THINGS.find(([what]) => own.some((each) => each.what === what))[1]} from ${hosts(own)}, and ${OFFLINE}.`],
  ["picture", (own) => `${own.length > 1 || own[0].many ? "Pictures" : "A picture"} from ${hosts(own)} `
    + `${own.length > 1 || own[0].many ? "are" : "is"} not loaded: ${OFFLINE}.`],
  ["media", (own) => `The sound or video from ${hosts(own)} is not loaded: ${OFFLINE}.`],
  ["icons", (own) => `The icons of this output are not shown: they come from ${hosts(own)}, and ${OFFLINE}.`],
  ["scripts", () => "This output needs scripts, which are turned off for this block."],
  ["broken", () => "A picture of this output cannot be read."],
  ["mute", () => "A sound or video of this output cannot be played: it has no data, or is of a kind that the browser does not know."],
];
const THINGS = [["program", "programs"], ["data", "data"], ["look", "styles"]];

// What would be seen if it were opened outside of the page, as a page of its own.
const WHOLE = new Set(["tile", "program", "data", "look", "icons", "scripts"]);

// What browsers say of that.
const AROUND = /cross-origin (?:frame|object)/;

const hosts = (own) => listed(own.map(({ host }) => host).filter(Boolean));

// Whether the page can give a file, of which its first byte is asked for; null where it gives none.
export async function found(address) {
  if (!address) return null;
  const answer = await fetch(address, { headers: { Range: "bytes=0-0" } }).catch(() => null);
  answer?.body?.cancel();
  return answer?.status !== 404;
}

// The sentence, and what of it can be opened: an address, or a file of the kernel.
export function told({ says, hollow, failed, causes }) {
  if (!says) return null;
  for (const [kind, sentence] of SENTENCES) {
    const own = causes.filter(({ what }) => (kind instanceof RegExp ? kind.test(what) : what === kind));
    if (!own.length) continue;
    const [{ what, url, path }] = own;
    const opens = ["page", "picture", "media"].includes(what);
    const absent = path ? `This output shows the file ${path}, which is not in the chat's folder.` : "";
    return { text: sentence(own, hollow), absent, url: opens ? url : "", path: path ?? "", whole: WHOLE.has(what) };
  }
  if (!hollow) return null;
  if (AROUND.test(failed)) return { text: "This output cannot be shown: its script reaches for the page around it, which outputs cannot.", url: "", path: "", whole: true };
  return { text: `This output shows nothing${failed ? `: its script failed (${failed}).` : "."}`, url: "", path: "", whole: failed !== "" };
}
