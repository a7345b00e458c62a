// Live widgets: their models are the kernel's, and come in parcels. What draws them is loaded with the first one.

import * as comms from "./comms.js";
import { LEVEL, post } from "./door.js";
import { engine } from "./engines.js";
import { enliven } from "./html.js";

const SOON = 10_000; // milliseconds until a block that says nothing of its widgets is taken to have none

let manager = null;
let told; // settles when the first models have come
const first = new Promise((done) => { told = done; });
const early = [];

export function hear(bytes) {
  if (comms.hear(bytes)) return;
  told();
  if (manager) manager.then((its) => its.hear(bytes));
  else early.push(bytes);
}

// What a widget shows acts as anything else does.
const acting = (draw) => async (item) => {
  const { node, begin: more } = await draw(item);
  return { node, begin: async (place) => { await enliven(place); await more?.(place); } };
};

function begin(draw) {
  manager ??= engine("widgets").then(({ Manager }) => {
    const its = new Manager(LEVEL, acting(draw), engine, (bytes) => post({ t: "parcel", bytes }, [bytes]));
    for (const bytes of early.splice(0)) its.hear(bytes);
    return its;
  });
  post({ t: "widgets" });
  return manager;
}

// Draws one; until it is there, and where it cannot be, its text stands in its place.
export async function widget(place, { data, plain, instead }, draw) {
  const text = Object.assign(document.createElement("pre"), { textContent: plain });
  place.append(text);
  const id = String(data?.model_id);
  let its;
  try {
    its = await (manager ?? begin(draw));
    await Promise.race([first, new Promise((_, late) => setTimeout(() => late(new Error("the widget is not available")), SOON))]);
    await its.show(id, place);
    text.remove();
  } catch (failure) {
    if (await its?.closed(id)) return place.remove();
    const why = `(${failure?.message ?? failure})`;
    text.textContent = instead ? why : `${plain}\n${why}`;
    if (instead) text.insertAdjacentHTML("beforebegin", instead);
  }
}
