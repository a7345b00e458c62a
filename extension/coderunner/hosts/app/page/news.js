// Asks now and then whether there is anything new for the page, and only then asks for it: an event of Gradio's costs
// some tens of milliseconds in every part of the page.
(() => {
  const EVERY = 2000, LONGEST = 10000; // milliseconds
  const NOBODY = "The app does not answer.";
  const OUT = "You are signed out, or the app was restarted. Reload the page.";
  const STOPPED = "Your Jupyter server was stopped. Reload the page to start it.";
  // What is said of a status that the app, or whoever stands before it, answers with. 424 is a Hub's.
  const WHY = { 401: OUT, 403: OUT, 424: STOPPED, 502: NOBODY, 503: NOBODY, 504: NOBODY };
  const told = (why) => `<span class="cr-dot"></span><span><b>Not connected</b><br><span class="cr-soft">${why}</span></span>`;
  const BUTTONS = "#cr-interrupt, #cr-restart, #cr-rerun";
  let asking = false, asked = 0, lost = "", due = 0;
  const mark = (place) => document.querySelector(`${place} [data-cr-mark]`)?.dataset.crMark ?? "";
  const typed = (place) => document.querySelector(`${place} :is(textarea, input)`)?.value;

  // What the page shows by now, whatever was sent to it.
  const shown = (c) => ({
    c,
    page: window.coderunner.session ?? "",
    search: typed("#cr-search") ?? "",
    status: mark("#cr-kernel"),
    list: mark("#cr-list"),
    unsaved: mark("#cr-kept"),
    grants: typed("#cr-grants-seen") ?? null, // nothing before its tab was opened
  });

  // While the app does not answer, what the kernel did last is no news of it, and nothing can be done to it.
  function lose(why) {
    if (why === lost) return;
    lost = why;
    document.documentElement.classList.toggle("cr-unreached", !!why);
    document.querySelector(".cr-lost").innerHTML = why && told(why);
    settle();
  }

  // A button that could do nothing says why in its title, as the kernel's status tells.
  function settle() {
    const its = document.querySelector("#cr-kernel [data-cr-interrupt]")?.dataset;
    for (const button of document.querySelectorAll(BUTTONS)) {
      const why = lost ? "" : { "cr-interrupt": its?.crInterrupt, "cr-restart": its?.crRestart }[button.id] ?? "";
      button.disabled = Boolean(lost || why);
      button.title = why;
    }
  }

  function watch() {
    const kernel = document.querySelector("#cr-kernel"), buttons = document.querySelectorAll(BUTTONS);
    if (!kernel || buttons.length < 3) return;
    drawing.disconnect();
    new MutationObserver(settle).observe(kernel, { childList: true, subtree: true, attributeFilter: ["data-cr-mark"] });
    settle();
  }

  // Why that is no answer of the app's; empty where it is one. A page of somebody's sign-in is none. What is sent to a
  // server that a Hub has stopped it refuses as where somebody is signed out; asked for what everybody may have, it says which.
  window.coderunner.unreached = async ({ status, redirected }) => {
    const why = redirected ? OUT : WHY[status] ?? "";
    if (why !== OUT) return why;
    return fetch("coderunner/public/formula.js", { cache: "no-store" }).then((one) => one.status === 424 ? STOPPED : OUT, () => OUT);
  };

  // Slow is not gone: only what fails by itself is.
  const failed = ({ name }) => {
    if (name !== "TimeoutError") lose(NOBODY);
    return false;
  };
  const answered = async (answer) => {
    if (!lost || WHY[answer.status] !== OUT || Date.now() > due) {
      lose(await window.coderunner.unreached(answer));
      due = Date.now() + LONGEST; // a Hub that is still stopping the server says so later
    }
    return answer.status === 204;
  };

  async function look() {
    const c = window.coderunner.shown();
    if (asking || document.hidden || !c) return;
    asking = true;
    try {
      const token = document.querySelector('meta[name="coderunner-token"]').content;
      const headers = { "Content-Type": "application/json", "X-CodeRunner-Token": token };
      const request = { method: "POST", headers, body: JSON.stringify(shown(c)), signal: AbortSignal.timeout(LONGEST) };
      // Whatever is wrong, Gradio's own request finds it, and says so.
      const same = await fetch("coderunner/news", request).then(answered, failed);
      if (!same) window.coderunner.tell("cr-look", `${++asked}`);
    } finally {
      asking = false;
    }
  }

  const drawing = new MutationObserver(watch);
  drawing.observe(document.documentElement, { childList: true, subtree: true });
  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);
})();
