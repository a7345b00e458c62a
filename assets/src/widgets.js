// What draws widgets: the views of ipywidgets, with models that live in a kernel elsewhere.

import { ManagerBase } from "@jupyter-widgets/base-manager";
import * as base from "@jupyter-widgets/base";
import * as controls from "@jupyter-widgets/controls";
import * as output from "@jupyter-widgets/output";
import * as messaging from "@lumino/messaging";
import * as lumino from "@lumino/widgets";
import { drawn } from "./outputs.js";
import { pack, unpack } from "./parcel.js";
import { Programs } from "./programs.js";
import { Said } from "./said.js";

const { MessageLoop } = messaging, { Widget } = lumino;

const LATEST = 10_000; // milliseconds for a model that is shown

const GONE = "Not connected to a kernel. This is its last state; running its code again gives a live one.";

class OutputModel extends output.OutputModel {
  defaults() { return { ...super.defaults(), msg_id: "", outputs: [] }; }
}

const outputView = (draw) => class OutputView extends output.OutputView {
  render() {
    super.render();
    this.el.classList.add("jupyter-widgets", "widget-output");
    this.drawing = Promise.resolve();
    this.listenTo(this.model, "change:outputs", () => this.redraw());
    this.redraw();
  }

  // One after the other; where several wait only the last is drawn.
  redraw() {
    const mine = this.newest = {};
    this.drawing = this.drawing.then(async () => {
      if (this.newest !== mine) return;
      const all = await Promise.all((this.model.get("outputs") ?? []).map((each) => drawn(each, draw)));
      if (this.newest !== mine) return;
      // As high as before until what is new stands: nothing jumps.
      this.el.style.minHeight = `${this.el.offsetHeight}px`;
      this.el.replaceChildren(...all.map(({ node }) => node));
      for (const { node, begin } of all) await begin?.(node);
      setTimeout(() => { if (this.newest === mine) this.el.style.minHeight = ""; }, 100);
    }).catch((failure) => { this.el.textContent = String(failure); });
  }
};

// A part of a widget that cannot be shown says why, as a whole one does.
const why = (view) => view.model.get("error")?.message ?? view.generateErrorMessage().msg;
base.ErrorWidgetView.prototype.render = function render() {
  this.el.replaceChildren(Object.assign(document.createElement("pre"), { textContent: `(${why(this)})` }));
};

// One model's way to the kernel.
class Comm {
  #send;

  constructor(id, send) {
    this.comm_id = id;
    this.target_name = "jupyter.widget";
    this.#send = send;
  }

  send(data, callbacks, _metadata, buffers) { return this.#send(this.comm_id, data, callbacks, buffers ?? []); }

  // Models are made and ended by programs alone.
  open() { return ""; }
  close() { return ""; }

  on_msg(heard) { this.heard = heard; }
  on_close(closed) { this.closed = closed; }
}

// What programs for JupyterLab share with it.
const SHARED = {
  "@jupyter-widgets/base": { version: "6.0.12", exports: base },
  "@jupyter-widgets/controls": { version: "5.0.13", exports: controls },
  "@jupyter-widgets/output": { version: "6.0.12", exports: output },
  "@lumino/messaging": { version: "2.0.0", exports: messaging },
  "@lumino/widgets": { version: "2.10.0", exports: lumino },
};

export { base };

export class Manager extends ManagerBase {
  #send; #programs; #comms = new Map(); #waiting = new Map(); #turn = Promise.resolve(); #live = true; #places = new Map(); #closed = new Set();
  #news; #heard; // settles when models come or go
  #said = new Said((id) => this.#drawn(id));
  #name = `${base.uuid().slice(0, 8)}-`; #count = 0;

  constructor(level, draw, engine, send) {
    super();
    this.#send = send;
    this.#programs = new Programs(level === "scripts", engine, {
      "@jupyter-widgets/base": base,
      "@jupyter-widgets/controls": controls,
      "@jupyter-widgets/output": { OutputModel, OutputView: outputView(draw) },
    }, {
      shared: SHARED,
      token: base.IJupyterWidgetRegistry,
      ask: (file) => { if (this.#live) this.#send(pack({ file }, [])); else this.#programs.take(file); },
    });
    this.#tell();
    addEventListener("resize", () => {
      for (const view of this.#places.values()) MessageLoop.postMessage(view.luminoWidget, Widget.ResizeMessage.UnknownSize);
    });
  }

  async loadClass(name, module, version) {
    const found = (await this.#programs.load(module))[name];
    if (!found) throw new Error(`${name} of ${module} ${version} is not supported here`);
    return found;
  }

  callbacks() { return {}; }
  async _create_comm() { throw new Error("a page cannot open a comm"); }
  async _get_comm_info() { return {}; }

  // Puts a view of a model into a place of the page.
  async show(id, place) {
    this.#said.making += 1;
    try {
      await this.#show(id, place);
    } finally {
      this.#said.making -= 1;
      this.#said.news();
    }
  }

  // What draws it, and its model, may come after the word that it is shown.
  async #there(id) {
    const until = performance.now() + LATEST;
    while (!this.has_model(id) && !this.#closed.has(id) && performance.now() < until) {
      await Promise.race([this.#news, new Promise((done) => { setTimeout(done, until - performance.now()); })]);
    }
  }

  async #show(id, place) {
    await this.#there(id);
    const view = await this.create_view(await this.get_model(id));
    if (view instanceof base.ErrorWidgetView) throw new Error(why(view));
    Widget.attach(view.luminoWidget, place);
    this.#places.set(place, view);
    this.#mark(place);
    view.once("remove", () => {
      this.#places.delete(place);
      place.remove();
    });
  }

  // Whether a model has the view that listens for it, or will never have one.
  async #drawn(id) {
    const model = this.has_model(id) && await this.get_model(id);
    return !model || !model.get("_view_name") || Object.keys(model.views ?? {}).length > 0;
  }

  // Whether a program closed it: then nothing is shown, and nothing is said of it.
  async closed(id) {
    await this.#turn;
    return this.#closed.has(id);
  }

  // --- to the kernel

  #say(id, data, callbacks, buffers) {
    const mid = `${this.#name}${++this.#count}`;
    this.#waiting.set(mid, callbacks);
    if (this.#live) this.#send(pack({ id, mid, data }, buffers));
    return mid;
  }

  // --- from the kernel: in the order in which it came

  hear(bytes) {
    const { head, buffers } = unpack(bytes);
    // What is in hand may wait for it.
    if (head.t === "module") return this.#programs.take(head.name, buffers[0]);
    this.#turn = this.#turn.then(() => this.#does[head.t]?.(head, buffers)).catch(console.error);
  }

  #does = {
    models: async ({ models, live, whole }, buffers) => {
      let at = 0;
      for (const each of models) {
        base.put_buffers(each.state, each.paths, buffers.slice(at, at += each.paths.length));
      }
      // Each is known by its id before the first waits for another.
      const all = models.map((each) => (this.has_model(each.id) ? this.#renew(each) : this.#make(each)));
      this.#tell();
      await Promise.all(all);
      if (whole) this.#wake(live);
    },
    update: ({ id, data, parent }, buffers) => {
      this.#comms.get(id)?.heard?.({ content: { comm_id: id, data }, buffers, parent_header: { msg_id: parent } });
    },
    close: ({ id }) => {
      this.#comms.get(id)?.closed?.({ content: { comm_id: id, data: {} } });
      this.#comms.delete(id);
      this.#closed.add(id);
      this.#tell();
    },
    said: ({ id, number, content, parent }, buffers) => {
      const message = { content: { comm_id: id, data: { method: "custom", content } }, buffers, parent_header: { msg_id: parent } };
      const tell = () => this.#comms.get(id)?.heard?.(message);
      this.#said.take({ id, number, tell, answers: Boolean(parent) && this.#waiting.has(parent) });
    },
    idle: ({ mid }) => this.#settle(mid),
    refused: ({ mid }) => this.#settle(mid),
    live: ({ live }) => this.#wake(live),
  };

  #tell() {
    this.#heard?.();
    this.#news = new Promise((done) => { this.#heard = done; });
  }

  async #make({ id, state }) {
    const comm = new Comm(id, (...what) => this.#say(...what));
    this.#comms.set(id, comm);
    const { _model_name: model_name, _model_module: model_module, _model_module_version: model_module_version } = state;
    await this.new_model({ model_id: id, comm, model_name, model_module, model_module_version }, state);
  }

  // After a cut: what was said meanwhile is lost, on both sides.
  async #renew({ id, state }) {
    const model = await this.get_model(id);
    model._pending_msgs = 0;
    model._msg_buffer = null;
    model._expectedEchoMsgIds.clear();
    model.set_state(await model.constructor._deserialize_state(state, this));
  }

  #settle(mid) {
    const callbacks = this.#waiting.get(mid);
    this.#waiting.delete(mid);
    callbacks?.iopub?.status?.({ content: { execution_state: "idle" } });
  }

  #wake(live) {
    this.#live = live;
    if (!live) this.#waiting.clear();
    for (const place of this.#places.keys()) this.#mark(place);
  }

  // What is moved without a kernel would say what is not so.
  #mark(place) {
    const note = place.querySelector(":scope > .cr-asleep");
    for (const each of place.children) each.inert = !this.#live;
    if (this.#live) note?.remove();
    else if (!note) place.append(Object.assign(document.createElement("p"), { className: "cr-asleep", textContent: GONE }));
  }
}
