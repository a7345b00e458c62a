// The comms of charts that are no widgets: what HoloViews and Panel look for in a page that has a kernel.

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

// Whether a parcel was for a comm, and no widget's.
export function hear(bytes) {
  if (!asked) return false;
  const { head, buffers } = unpack(bytes);
  if (head.t !== "comm") return false;
  const begin = targets.get(head.target);
  targets.delete(head.target);
  begin?.(comm(head.target));
  comm(head.target).onMsg({ content: { comm_id: head.target, data: head.data }, metadata: head.metadata, buffers });
  return true;
}
