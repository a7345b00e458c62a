// The buttons outside the blocks, and those of the test block in the sidebar. The custom element handles its own.
(() => {
  // Only elements of the app count: the text of a model is never inside them, whatever attributes it has.
  const ours = (element) => element.closest(".cr-html") !== null;

  const shown = () => window.coderunner.shown();

  // The text of a reply as its model wrote it.
  async function said(reply) {
    const token = document.querySelector('meta[name="coderunner-token"]').content;
    const headers = { "X-CodeRunner-Token": token };
    const answer = await fetch(`coderunner/reply?c=${shown()}&r=${reply}`, { headers });
    if (!answer.ok) throw new Error(answer.statusText);
    return new Blob([await answer.text()], { type: "text/plain" });
  }

  // The label of a button comes back a moment after its last press.
  const words = new WeakMap(), waits = new WeakMap();
  async function copy(button, text) {
    if (!words.has(button)) words.set(button, button.textContent);
    try {
      // A pending fetch is passed on as it is: browsers allow copying only shortly after the click.
      if (typeof text === "string") await navigator.clipboard.writeText(text);
      else await navigator.clipboard.write([new ClipboardItem({ "text/plain": text })]);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not copied";
    }
    clearTimeout(waits.get(button));
    waits.set(button, setTimeout(() => { button.textContent = words.get(button); }, 1200));
  }

  // Links to files of the conversation get its id before they are used, in whatever way that is.
  for (const way of ["pointerdown", "keydown", "click"]) document.addEventListener(way, (event) => {
    const link = event.target instanceof Element && event.target.closest("a[data-cr-file]");
    if (!link || !ours(link)) return;
    link.href = window.coderunner.file(new URL(link.href).searchParams.get("path"));
  }, true);

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("button[data-cr]");
    if (!button || !ours(button)) return;
    const kind = button.dataset.cr;
    if (kind === "copy") copy(button, button.closest(".cr-cell").querySelector(".cr-code").textContent);
    else if (kind === "copy-text") copy(button, said(button.dataset.crReply));
    else if (kind === "copy-own") copy(button, button.closest(".cr-own").dataset.crText);
    else if (kind === "copy-fence") copy(button, button.closest(".cr-fence").querySelector("code").textContent);
  });
})();

// Scripts send events to Gradio through hidden fields.
window.coderunner = {
  // What keys do on this page beside those of its blocks.
  shortcuts: [
    ["Enter", "Send the message"],
    ["Shift + Enter", "Begin a new line in the message"],
    ["Ctrl + Enter", "Send a message that you have edited"],
    ["↑, ↓, Home, End", "Move in the list of conversations"],
    ["F2, P, Delete", "Rename, pin or delete a conversation of the list"],
  ],

  // The id of the conversation, also of one in which nothing was said yet.
  shown: () => document.querySelector("#cr-kernel [data-cr-conversation]")?.dataset.crConversation ?? "",

  // The address of a file in its folder.
  file: (path) => `coderunner/file?${new URLSearchParams({ c: window.coderunner.shown(), path })}`,

  tell(field, text) {
    const area = document.querySelector(`#${field} :is(textarea, input)`);
    area.value = text;
    area.dispatchEvent(new Event("input", { bubbles: true }));
  },

  // A text with paths in it, which break after their slashes: browsers break them anywhere in their names.
  broken: (text) => text.split(/(?<=[/\\])/).flatMap((part, at) => (at ? [document.createElement("wbr"), part] : [part])),

  // Asks a person; resolves to whether the answer is yes.
  ask(question, text, yes, dangerous = false) {
    const dialog = document.createElement("dialog");
    dialog.className = "cr-dialog";
    dialog.innerHTML = '<h3></h3><p></p><form method="dialog"><button value="">Cancel</button>'
      + '<button value="yes"></button></form>';
    dialog.querySelector("h3").textContent = question;
    dialog.querySelector("p").append(...window.coderunner.broken(text));
    dialog.querySelector('[value="yes"]').textContent = yes;
    if (dangerous) dialog.querySelector('[value="yes"]').className = "cr-danger";
    dialog.setAttribute("aria-label", question);
    document.body.append(dialog);
    dialog.showModal();
    return new Promise((answer) => dialog.addEventListener("close", () => {
      dialog.remove();
      answer(dialog.returnValue === "yes");
    }));
  },

  // The kernel of a person's own that may be restarted, empty where it is the chat's; null if they do not want that.
  async mayRestart(yes) {
    const name = document.querySelector("#cr-kernel [data-cr-attached]")?.dataset.crAttached ?? "";
    if (!name) return "";
    const text = `This is the kernel ${name.endsWith(".ipynb") ? "of " : ""}${name}, not one of this chat. `
      + "Its variables will be lost.";
    return await this.ask("Restart your own kernel?", text, yes, true) ? name : null;
  },

  // How many blocks from a file may run; -1 if the person does not want that.
  async agreed() {
    const count = Number(document.querySelector("#cr-kernel [data-cr-from-file]")?.dataset.crFromFile ?? 0);
    if (!count) return 0;
    const [many, whose] = count === 1 ? ["1 block", "Its"] : [`${count} blocks`, "Their"];
    const text = `${whose} code is from an imported notebook, not from this chat. Look through it first.`;
    return await this.ask(`Run ${many} that came from a file?`, text, "Restart and run all") ? count : -1;
  },
};

// The theme: that of the system until the person chooses one.
(() => {
  const KEY = "coderunner-shade";
  const set = (dark) => document.body.classList.toggle("dark", dark);
  window.coderunner.toggleTheme = () => {
    const dark = !document.body.classList.contains("dark");
    set(dark);
    try { localStorage.setItem(KEY, dark ? "dark" : "light"); } catch { /* storage is blocked: for this visit only */ }
  };
  let chosen = null;
  try { chosen = localStorage.getItem(KEY); } catch { /* storage is blocked */ }
  function begin() {
    set(chosen === "dark");
    // Gradio applies the system's theme once while it starts.
    const watch = new MutationObserver(() => set(localStorage.getItem(KEY) === "dark"));
    watch.observe(document.body, { attributes: true, attributeFilter: ["class"] });
    setTimeout(() => watch.disconnect(), 4000);
  }
  if (chosen && document.body) begin();
  else if (chosen) addEventListener("DOMContentLoaded", begin);
})();

// A chat that is being opened is not a new one: nothing welcomes to it until the page has been answered.
(() => {
  const { documentElement: html } = document, LONGEST = 30000, DRAWN = 1000;
  let kept = null, drawn = 0;
  try { kept = localStorage.getItem("coderunner"); } catch { /* storage is blocked: nothing is remembered */ }
  if (!(new URLSearchParams(location.search).get("c") ?? kept)) return;
  html.classList.add("cr-opening");
  const done = () => {
    html.classList.remove("cr-opening");
    wait.disconnect();
  };
  const wait = new MutationObserver(() => {
    // The list comes with the first answer; what was said is drawn a moment later.
    const list = document.querySelector("#cr-list nav");
    if (document.querySelector("#cr-chat .message-row") || list?.dataset.crCurrent === "") done();
    else if (list) drawn ||= setTimeout(done, DRAWN);
  });
  wait.observe(html, { childList: true, subtree: true });
  setTimeout(done, LONGEST);
})();

// On a small screen the sidebar would cover the conversation, so it is closed at first, and when a page becomes one.
(() => {
  const small = matchMedia("(max-width: 768px)");
  let closed = false;
  small.addEventListener("change", () => {
    const left = document.querySelector("#cr-left"), open = left?.classList.contains("open");
    if (!left || !(small.matches ? open : closed && !open)) return;
    closed = small.matches;
    if (small.matches) left.querySelector(".toggle-button")?.click();
    else window.coderunner.panel.makeRoom();
  });
  const wait = new MutationObserver(() => {
    const left = document.querySelector("#cr-left.open");
    if (!left) return;
    wait.disconnect();
    // After Gradio has finished opening it.
    setTimeout(() => {
      if (small.matches) left.querySelector(".toggle-button")?.click();
      document.body.classList.add("cr-ready");
    }, 100);
  });
  wait.observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] });
})();

// A conversation opens at its end and stays there while its blocks fill, until the person scrolls. What they ask
// themselves is shown to them wherever they are.
(() => {
  let follows = true, touched = 0, shown = "", watched = null, asked = null, own = { top: 0, high: 0 };
  const place = () => document.querySelector("#cr-chat .bubble-wrap");
  const questions = () => {
    const all = [...document.querySelectorAll("#cr-chat .cr-own")];
    return `${all.length} ${all.at(-1)?.dataset.crText}`;
  };
  const ask = () => { asked = questions(); };
  const note = ({ scrollTop, scrollHeight }) => { own = { top: scrollTop, high: scrollHeight }; };
  addEventListener("keydown", ({ target, key }) => { if (key === "Enter" && target.closest("#cr-box")) ask(); }, true);
  addEventListener("click", ({ target }) => { if (target.closest("#cr-box .submit-button")) ask(); }, true);
  addEventListener("submit", ({ target }) => { if (target.matches(".cr-edit")) ask(); }, true);
  const toTheEnd = () => {
    const at = place();
    if (!follows || !at) return;
    at.scrollTop = at.scrollHeight;
    note(at);
  };
  const sizes = new ResizeObserver(toTheEnd);
  for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    addEventListener(kind, () => { touched = performance.now(); }, { capture: true, passive: true });
  }
  document.addEventListener("scroll", ({ target }) => {
    if (target !== place()) return;
    // What is found in the page, or read aloud, scrolls without a key or a pointer.
    const elsewhere = target.scrollHeight === own.high && target.scrollTop < own.top - 60;
    if (!elsewhere && performance.now() - touched > 800) return;
    follows = target.scrollHeight - target.scrollTop - target.clientHeight < 60;
    // From here on as if the page had gone there itself: what is found above is away from this end.
    if (follows) note(target);
  }, { capture: true, passive: true });
  // What somebody edits stays where it is.
  let before = false;
  document.addEventListener("coderunner-editing", ({ detail: { open } }) => {
    [before, follows] = open ? [before || follows, false] : [false, before || follows];
  });
  new MutationObserver(() => {
    // Gradio's list of examples has buttons in it, and no items.
    for (const list of document.querySelectorAll('.examples[role="list"]')) Object.assign(list, { role: "group", ariaLabel: "Examples" });
    // Gradio's buttons of the message box have pictures, and no names.
    for (const [kind, name] of [["submit", "Send"], ["stop", "Stop"]]) {
      const button = document.querySelector(`#cr-box button.${kind}-button`);
      if (button && button.title !== name) Object.assign(button, { title: name, ariaLabel: name });
    }
    const current = document.querySelector("#cr-list nav")?.dataset.crCurrent ?? "";
    if (current !== shown) {
      shown = current;
      follows = true;
    }
    if (asked !== null && questions() !== asked) {
      asked = null;
      follows = true;
      touched = 0;
      toTheEnd();
    }
    const content = place()?.firstElementChild;
    if (!content || content === watched) return;
    sizes.disconnect();
    sizes.observe(watched = content);
    toTheEnd();
  }).observe(document.documentElement, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["data-cr-current"],
  });
})();
