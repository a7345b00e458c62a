// What earlier blocks of the conversation loaded runs here first, out of sight, as it would have in one page for all.

import { LEVEL, post } from "./door.js";
import { enliven, html, inert } from "./html.js";
import { loads } from "./missing.js";

const PATIENCE = 3000; // milliseconds for a module whose imports hang

export async function load(loaders) {
  if (LEVEL !== "scripts") return;
  for (const { name, text } of loaders) {
    // Where it never ends, the page knows by this what not to load again.
    post({ t: "loading", name });
    loads(text);
    const place = document.createElement("div");
    place.hidden = true;
    document.body.append(place);
    if (name.startsWith("html")) place.append(...html(text).childNodes);
    else place.append(inert(text));
    await Promise.race([enliven(place, true), new Promise((late) => setTimeout(late, PATIENCE))]);
  }
  post({ t: "loading", name: "" });
}
