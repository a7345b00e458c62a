// The buttons of the blocks, and the clocks that run in them. Everything else is the page's framework's.
(() => {
  const ACTS = new Set(["run", "always", "skip", "stop", "cancel"]);

  // Only elements of ours count: what a model writes is drawn elsewhere, whatever attributes it has.
  const ours = (element) => element.closest(".cr-html") !== null;

  async function send(what) {
    try {
      const headers = { "Content-Type": "application/json" };
      return (await fetch("coderunner/act", { method: "POST", headers, body: JSON.stringify(what) })).ok;
    } catch {
      return false;
    }
  }

  async function act(button) {
    button.disabled = true;
    if (!(await send({ ticket: button.dataset.crTicket, act: button.dataset.cr }))) button.disabled = false;
  }

  // What a program asked for: it leaves the page with this, also where somebody else was quicker.
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form.cr-question") || !ours(form)) return;
    event.preventDefault();
    const { answer } = form.elements, text = answer.value, ticket = form.dataset.crTicket;
    answer.value = "";
    const taken = await send({ ticket, act: "answer", text });
    if (!taken && form.dataset.crTicket === ticket && answer.type === "text") answer.value ||= text;
  });

  // What was typed for one question is not for the next one. A new one takes the cursor from nobody who types.
  let asked = "";
  new MutationObserver(() => {
    const form = document.querySelector(".cr-html form[data-cr-ticket]");
    const ticket = form?.dataset.crTicket ?? "";
    if (ticket === asked) return;
    asked = ticket;
    if (!form) return;
    const { answer } = form.elements, busy = document.activeElement;
    answer.value = "";
    const free = !busy || busy === document.body || busy.closest("form.cr-question")
      || (busy.matches("#cr-box textarea") && !busy.value);
    if (free) answer.focus({ preventScroll: true });
  }).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-cr-ticket"] });

  async function copy(button, text) {
    const word = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => { button.textContent = word; }, 1200);
  }

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("button[data-cr]");
    if (!button || !ours(button)) return;
    const kind = button.dataset.cr;
    if (ACTS.has(kind)) act(button);
    else if (kind === "settings") document.querySelector("#cr-settings").click();
    else if (kind === "copy") copy(button, button.closest(".cr-cell").querySelector(".cr-code").textContent);
    else if (kind === "copy-text") copy(button, button.dataset.crText);
  });

  // A clock starts at the time that the server says when its element appears, and runs here: the server
  // need not send every second, and buttons beside it stay the same elements.
  const began = new Map();
  setInterval(() => {
    const seen = new Set();
    for (const clock of document.querySelectorAll("[data-cr-clock]")) {
      const name = clock.dataset.crClock;
      seen.add(name);
      if (!began.has(name)) began.set(name, performance.now() - 1000 * Number(clock.dataset.crElapsed));
      const seconds = Math.floor((performance.now() - began.get(name)) / 1000);
      const of = clock.dataset.crOf ? ` of ${clock.dataset.crOf}` : "";
      const text = seconds < 60 || of ? `${seconds} s${of}` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
      if (clock.textContent !== text) clock.textContent = text;
    }
    for (const name of began.keys()) if (!seen.has(name)) began.delete(name);
  }, 250);
})();

// Light or dark: the system decides until the person does.
(() => {
  const KEY = "coderunner-shade";
  const set = (dark) => document.body.classList.toggle("dark", dark);
  window.coderunner = {
    shade() {
      const dark = !document.body.classList.contains("dark");
      set(dark);
      try { localStorage.setItem(KEY, dark ? "dark" : "light"); } catch { /* not allowed: for this visit only */ }
    },
  };
  let chosen = null;
  try { chosen = localStorage.getItem(KEY); } catch { /* not allowed */ }
  function begin() {
    set(chosen === "dark");
    // The framework applies the system's choice once while it starts.
    const watch = new MutationObserver(() => set(localStorage.getItem(KEY) === "dark"));
    watch.observe(document.body, { attributes: true, attributeFilter: ["class"] });
    setTimeout(() => watch.disconnect(), 4000);
  }
  if (chosen && document.body) begin();
  else if (chosen) addEventListener("DOMContentLoaded", begin);
})();

// On a small screen the drawer would cover the conversation, so it begins closed there.
(() => {
  const wait = new MutationObserver(() => {
    const left = document.querySelector("#cr-left.open");
    if (!left) return;
    wait.disconnect();
    // After the framework has finished opening it.
    setTimeout(() => {
      if (innerWidth <= 768) left.querySelector(".toggle-button")?.click();
      document.body.classList.add("cr-ready");
    }, 100);
  });
  wait.observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] });
})();
