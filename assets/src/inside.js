// In a frame of HTML that an output brings: says to the frame around it what was refused here, and whether anything
// is seen. It knows nothing else, and nothing is kept from the program whose HTML it stands in.

import "./frame/kept.js";
import { hollow } from "./frame/seen.js";
import { counts, KINDS } from "./frame/policy.js";

const MOST = 30, SOON = 300, OFTEN = 10; // causes; milliseconds; times that it looks again by itself

const causes = new Map();
let failed = "", timer = 0, told = "";

function tell() {
  timer = 0;
  const message = { t: "coderunner-inside", hollow: !document.body || hollow(document.body, causes.size > 0 || failed !== ""), failed, causes: [...causes.values()] };
  const text = JSON.stringify(message);
  if (text === told) return;
  told = text;
  parent.postMessage(message, "*");
}
const soon = () => { timer ||= setTimeout(tell, SOON); };

addEventListener("securitypolicyviolation", ({ blockedURI, effectiveDirective }) => {
  const what = KINDS[effectiveDirective];
  if (!what || !/^(https?|wss?):/.test(blockedURI) || counts(blockedURI) || causes.size >= MOST) return;
  causes.set(`${what} ${blockedURI}`, { what, url: blockedURI });
  soon();
});
const say = (error) => { failed ||= String(error?.message ?? error).slice(0, 200); soon(); };
addEventListener("error", ({ error, message }) => { if (message) say(error ?? message); });
addEventListener("unhandledrejection", ({ reason }) => say(reason));
addEventListener("load", () => {
  soon();
  for (let time = 1; time <= OFTEN; time += 1) setTimeout(soon, time * 1000);
});
