// What the buttons and the form of a block do.

const ACTS = new Set(["run", "always", "skip", "stop", "cancel", "again", "allow"]);

export class Acts {
  #base; #token;

  constructor(base, token) {
    this.#base = base;
    this.#token = token;
  }

  #post(where, what) {
    const headers = { "Content-Type": "application/json", "X-CodeRunner-Token": this.#token };
    return fetch(new URL(where, this.#base), { method: "POST", headers, body: JSON.stringify(what) });
  }

  // What one of our routes says; an empty object where it says nothing.
  async ask(where, what) {
    try {
      const answer = await this.#post(where, what);
      return answer.ok ? await answer.json() : {};
    } catch {
      return {};
    }
  }

  // Whether it was taken; else why not, where somebody says.
  async send(what) {
    try {
      const answer = await this.#post("act", what);
      return { taken: answer.ok, error: answer.ok ? "" : (await answer.json().catch(() => ({}))).error };
    } catch {
      return { taken: false, error: "" };
    }
  }

  // Listens in one block; `own` has what a block does by itself.
  listen(root, own) {
    root.addEventListener("click", async ({ target }) => {
      const button = target instanceof Element && target.closest("button[data-cr]");
      if (!button) return;
      const verb = button.dataset.cr;
      if (verb in own) own[verb](button);
      if (!ACTS.has(verb)) return;
      button.disabled = true;
      const { taken } = await this.send({ ticket: button.dataset.crTicket, act: verb });
      // A block may be run again and again.
      if (!taken || verb === "again") button.disabled = false;
      if (!taken) say(button, "Failed");
      // For a host that has something to do then.
      else root.dispatchEvent(new CustomEvent("coderunner-taken", { bubbles: true, composed: true, detail: { act: verb } }));
    });
    // What a program asked for: it leaves the page with this, also where somebody else was quicker.
    root.addEventListener("submit", async (event) => {
      const form = event.target;
      event.preventDefault();
      const { answer } = form.elements, text = event.submitter?.value || answer.value, ticket = form.dataset.crTicket;
      const fields = form.querySelectorAll("input, button[type=submit]");
      answer.value = "";
      // Until the next question is drawn: what is typed by then would be for this one, and be lost.
      for (const field of fields) field.disabled = true;
      const { taken } = await this.send({ ticket, act: "answer", text });
      if (taken || form.dataset.crTicket !== ticket) return;
      for (const field of fields) field.disabled = false;
      if (answer.type === "text") answer.value ||= text;
      say(form.querySelector("button"), "Failed");
    });
  }
}

// Says for a moment what became of a press: of the last one, where a button is pressed again meanwhile.
const saying = new WeakMap();
export function say(button, word) {
  const before = button.dataset.crWord ??= button.textContent;
  button.textContent = word;
  clearTimeout(saying.get(button));
  saying.set(button, setTimeout(() => { button.textContent = before; }, 1200));
}

export async function copy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    say(button, "Copied");
  } catch {
    say(button, "Not copied");
  }
}
