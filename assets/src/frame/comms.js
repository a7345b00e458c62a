// The comms of charts that are no widgets: what HoloViews, Panel and Bokeh look for in a page that has a kernel.

import { pack, unpack } from "../parcel.js";
import { post } from "./door.js";

const targets = new Map(), opened = new Map(); // by the names of targets: what was registered, and comms
let asked = false;

function say(target, data, buffers = []) {
  ask();
  const bytes = pack({ t: "comm", target, data }, buffers);
  post({ t: "parcel", bytes }, [bytes]);
}

function ask() {
  if (!asked) post({ t: "widgets" });
  asked = true;
}

function comm(target) {
  if (!opened.has(target)) {
    opened.set(target, {
      commId: target, active: true, onMsg() {}, open() { say(target); }, close() {},
      send(data, _metadata, buffers) { say(target, data, buffers); },
    });
  }
  return opened.get(target);
}

const kernel = {
  connectToComm: comm,
  registerCommTarget(target, begin) {
    ask();
    targets.set(target, begin);
  },
};

// A chart that is about to be drawn finds its kernel by its id.
export function serve(id) {
  if (typeof id !== "string") return;
  globalThis.PyViz ??= { comms: {}, comm_status: {}, kernels: {}, receivers: {}, plot_index: [] };
  if (globalThis.PyViz.kernels) globalThis.PyViz.kernels[id] = kernel;
}

// --- what a program pushes to a figure of Bokeh's: all of it, in order, whenever the figure is drawn

const MOST = 4000; // messages of one figure that are kept; of more the oldest go
const pushed = new Map(), last = new Map(); // by targets: messages, and the number of the one that was given last

function push({ head, buffers }) {
  const { target, number } = head, all = pushed.get(target) ?? [];
  pushed.set(target, all);
  all.push({ head, buffers });
  if (all.length > MOST) all.shift();
  if (number > (last.get(target) ?? 0)) give(all.at(-1)); // not where it is told again
}

function give({ head, buffers }) {
  last.set(head.target, head.number);
  try {
    opened.get(head.target)?.onMsg({ content: { comm_id: head.target, data: head.data }, metadata: head.metadata, buffers });
  } catch (failure) {
    console.error(failure);
  }
}

// What Bokeh pushes is several messages, of which the first is a head.
const begins = ({ head }) => typeof head.data === "string" && head.data.includes('"msgtype"');

const figures = {
  registerCommTarget(target, begin) {
    ask();
    begin(comm(target));
    const all = pushed.get(target) ?? [], first = all.findIndex(begins);
    for (const each of first < 0 ? [] : all.slice(first)) give(each);
  },
};

// A figure that is about to be drawn finds its kernel by its id.
export function figure(id) {
  const kernels = globalThis.Bokeh?.embed?.kernels;
  if (typeof id === "string" && kernels) kernels[id] = figures;
}

// Whether a parcel was for a comm, and no widget's.
export function hear(bytes) {
  if (!asked) return false;
  const { head, buffers } = unpack(bytes);
  if (head.t === "models" && head.whole) pushed.clear(); // what is kept follows, all of it
  if (head.t !== "comm") return false;
  if (head.number) {
    push({ head, buffers });
    return true;
  }
  const begin = targets.get(head.target);
  targets.delete(head.target);
  begin?.(comm(head.target));
  comm(head.target).onMsg({ content: { comm_id: head.target, data: head.data }, metadata: head.metadata, buffers });
  return true;
}
