// A person's own code in the kernel of the chat: *Run* on each Python fence of their messages, and the scratch cell
// above the message box, of which the model hears only if they say so.
(() => {
  const { shown } = window.coderunner;
  const token = () => document.querySelector('meta[name="coderunner-token"]').content;
  const PYTHON = /^\{?\.?(i?python3?|py)\b/i;
  const KEPT = "coderunner-scratch:";
  let chat = null, runs = new Map(), scratch = null, loading = null;

  async function post(what) {
    const headers = { "Content-Type": "application/json", "X-CodeRunner-Token": token() };
    try {
      const answer = await fetch("coderunner/own", { method: "POST", headers, body: JSON.stringify({ c: shown(), ...what }) });
      return await answer.json();
    } catch {
      return { error: "This did not reach the app. Try again." };
    }
  }

  // What was run in the chat that is shown.
  async function load() {
    const now = shown();
    if (!now || now === chat) return;
    chat = now;
    [runs, scratch] = [new Map(), null];
    const headers = { "X-CodeRunner-Token": token() };
    loading = fetch(`coderunner/own?${new URLSearchParams({ c: now })}`, { headers }).then((answer) => answer.json()).catch(() => ({}));
    const known = await loading;
    if (now !== chat) return;
    for (const { code, id } of known.runs ?? []) if (!runs.has(code)) runs.set(code, id);
    scratch = known.scratch ?? null;
    document.querySelectorAll("#cr-chat .cr-own .cr-fence").forEach(dress);
    document.querySelector("code-runner-scratch")?.show();
  }

  // --- fences of a person's messages -------------------------------------------------------------------------

  const codeOf = (fence) => fence.querySelector("code").textContent.replace(/\s+$/, "");

  function block(id) {
    const element = document.createElement("code-runner-output");
    element.dataset.cr = id;
    return element;
  }

  function place(fence) {
    const id = runs.get(codeOf(fence));
    const there = fence.querySelector(":scope > code-runner-output");
    if (!id) return there?.remove();
    if (there?.dataset.cr === id) return;
    if (there) there.dataset.cr = id;
    else fence.append(block(id));
  }

  function dress(fence) {
    const head = fence.firstElementChild;
    if (!PYTHON.test(head.querySelector("span")?.textContent.trim() ?? "")) return;
    if (!head.querySelector('[data-cr="run-own"]')) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Run" });
      button.dataset.cr = "run-own";
      head.querySelector("button").before(button);
    }
    place(fence);
  }

  async function run(button) {
    const fence = button.closest(".cr-fence"), code = codeOf(fence);
    const { id, error } = await post({ code, scratch: false });
    if (error) {
      button.textContent = error;
      setTimeout(() => { button.textContent = "Run"; }, 4000);
      return;
    }
    runs.set(code, id);
    place(fence);
  }

  document.addEventListener("click", ({ target }) => {
    const button = target instanceof Element && target.closest('.cr-own .cr-fence button[data-cr="run-own"]');
    if (button) run(button);
    if (target instanceof Element && target.closest('#cr-bar [data-cr="scratch"]')) document.querySelector("code-runner-scratch").toggle();
  });

  new MutationObserver(() => {
    load();
    document.querySelectorAll("#cr-chat .cr-own .cr-fence").forEach(dress);
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-cr-conversation"] });

  // --- the scratch cell --------------------------------------------------------------------------------------

  const editorAt = () => document.querySelector('script[src*="public/host.js"]').src.replace("host.js", "editor.js");

  class Scratch extends HTMLElement {
    #editor = null;

    get #button() { return document.querySelector('#cr-bar [data-cr="scratch"]'); }

    async toggle() {
      if (this.firstChild) return this.close();
      this.innerHTML = '<div class="cr-scratch-head"><b>Scratch cell</b><span role="status">The model does not see it.</span>'
        + '<button type="button" data-act="tell" disabled>Tell the model</button><button type="button" class="cr-main" data-act="run">Run</button>'
        + '<button type="button" data-act="close" aria-label="Close the scratch cell">×</button></div><div class="cr-scratch-code"></div><div class="cr-scratch-out"></div>';
      this.onclick = ({ target }) => {
        const act = target.closest("[data-act]")?.dataset.act;
        if (act) this[act]();
      };
      this.#button.ariaExpanded = "true";
      // The page may not know yet which chat it shows.
      while (!chat && this.firstChild) await new Promise((soon) => { setTimeout(soon, 100); });
      await loading;
      const { create } = await import(editorAt());
      if (!this.firstChild) return;
      const home = this.querySelector(".cr-scratch-code"), root = home.attachShadow({ mode: "open" });
      const here = chat, look = (kind, code, at) => fetch("coderunner/look-up", { method: "POST", headers: {
        "Content-Type": "application/json", "X-CodeRunner-Token": token() }, body: JSON.stringify({ ticket: here, kind, code, at }) })
        .then((answer) => answer.json()).catch(() => ({}));
      this.#editor = create({
        parent: root, root, text: this.#draft(), isPython: true, label: "Scratch cell",
        run: () => this.run(), leave: () => this.close(),
        changed: (text) => { try { sessionStorage.setItem(KEPT + here, text); } catch { /* no storage */ } },
        complete: (code, at) => look("complete", code, at), inspect: async (code, at) => (await look("inspect", code, at)).text,
      });
      this.show();
      this.#editor.focus();
    }

    #draft() {
      try { return sessionStorage.getItem(KEPT + chat) ?? scratch?.code ?? ""; } catch { return scratch?.code ?? ""; }
    }

    // Another chat is shown, or this one has another run.
    show() {
      if (!this.#editor) return;
      if (this.dataset.chat && this.dataset.chat !== chat) {
        delete this.dataset.chat;
        this.close();
        return;
      }
      this.dataset.chat = chat;
      this.querySelector(".cr-scratch-out").replaceChildren(...(scratch ? [block(scratch.id)] : []));
      this.querySelector('[data-act="tell"]').disabled = !scratch;
    }

    say(words) { this.querySelector('[role="status"]').textContent = words; }

    async run() {
      const code = this.#editor?.text ?? "";
      if (!code.trim()) return;
      const { id, error } = await post({ code, scratch: true });
      if (error) return this.say(error);
      scratch = { id, code };
      this.say("The model does not see it.");
      this.show();
    }

    async tell() {
      const { error } = await post({ tell: true });
      this.say(error ?? "The model reads it with your next message.");
    }

    close() {
      this.#editor?.close();
      this.#editor = null;
      delete this.dataset.chat;
      this.replaceChildren();
      this.#button.ariaExpanded = "false";
      this.#button.focus();
    }
  }
  customElements.define("code-runner-scratch", Scratch);
})();
