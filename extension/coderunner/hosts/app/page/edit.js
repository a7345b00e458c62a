// Editing a message of one's own in place, and going from one version of a message to another.
(() => {
  let asked = 0;

  // Numbered, so that the same request twice counts as a change.
  const tell = (what, conversation = window.coderunner.shown()) =>
    window.coderunner.tell("cr-edited", JSON.stringify({ conversation, ...what, number: ++asked }));

  // What was typed outlives a reload of the page.
  const KEPT = "coderunner-message:";
  const drafts = {
    name: (conversation, message) => `${KEPT}${conversation}:${message}`,
    of: (name) => { try { return JSON.parse(sessionStorage.getItem(name)); } catch { return null; } },
    keep: (name, draft) => { try { sessionStorage.setItem(name, JSON.stringify(draft)); } catch { /* no room, or no storage */ } },
    drop: (name) => { try { sessionStorage.removeItem(name); } catch { /* no storage */ } },
  };

  const OTHER = "This message has another version by now. What you wrote is in the message box.";

  // The forms that are open; closed by whoever has opened them, or taken away with their message, as by another tab:
  // what was typed then goes to the same message drawn anew, or to the message box.
  const open = new Set();
  new MutationObserver(() => {
    for (const each of open) {
      if (each.form.isConnected) continue;
      open.delete(each);
      // Once all is drawn: it may be another conversation.
      setTimeout(rescue, 200, each);
    }
  }).observe(document.documentElement, { childList: true, subtree: true });

  function rescue({ message, conversation, before, area: { value: text } }) {
    if (text === before || !text.trim() || conversation !== window.coderunner.shown()) return;
    restore({ message, conversation, text });
  }

  function restore({ message, conversation, text }) {
    const own = document.querySelector(`#cr-chat .cr-own[data-cr-message="${message}"]`);
    if (own) return begin(own, text);
    const box = document.querySelector("#cr-box textarea");
    window.coderunner.tell("cr-box", [box.value.trimEnd(), text].filter(Boolean).join("\n\n"));
    window.coderunner.attachments.say(OTHER);
    drafts.drop(drafts.name(conversation, message));
    box.focus();
  }

  // What was typed in a conversation before the page was loaded again, or another one was shown.
  document.addEventListener("coderunner-shown", ({ detail: conversation }) => {
    const start = drafts.name(conversation, "");
    let names = [];
    try { names = Object.keys(sessionStorage).filter((name) => name.startsWith(start)); } catch { /* no storage */ }
    if (!conversation || !names.length) return;
    // Its messages come a moment later; a message that is not there by then has another version.
    const wait = new MutationObserver(look), late = setTimeout(() => end(), 5000);
    function end() {
      clearTimeout(late);
      wait.disconnect();
      if (conversation !== window.coderunner.shown()) return;
      for (const name of names) {
        const text = drafts.of(name);
        if (typeof text === "string") restore({ message: name.slice(start.length), conversation, text });
      }
    }
    function look() { if (document.querySelector("#cr-chat .cr-own")) end(); }
    wait.observe(document.querySelector("#cr-chat"), { childList: true, subtree: true });
    look();
  });

  function begin(own, typed = own.dataset.crText) {
    if (own.querySelector(".cr-edit")) return;
    const form = document.createElement("form");
    form.className = "cr-edit";
    form.innerHTML = '<textarea aria-label="Edit the message" rows="1"></textarea><div class="cr-deeds">'
      + '<button type="button">Cancel</button><button type="submit" class="cr-main">Send</button></div>';
    const [area, cancel, send] = form.querySelectorAll("textarea, button");
    const { crCurrent: conversation } = document.querySelector("#cr-list nav")?.dataset ?? {};
    area.value = typed;
    const { crText: before, crMessage: message } = own.dataset;
    const kept = drafts.name(window.coderunner.shown(), message);
    const mine = { form, area, before, message, conversation: window.coderunner.shown() };
    // As high as its text.
    const fit = () => {
      area.style.height = "auto";
      area.style.height = `${Math.min(area.scrollHeight + 2, innerHeight / 2)}px`;
    };
    const end = () => {
      open.delete(mine);
      drafts.drop(kept);
      form.remove();
      own.querySelector('[data-cr="edit"]')?.focus();
    };
    area.addEventListener("input", () => {
      fit();
      if (area.value === before) drafts.drop(kept);
      else drafts.keep(kept, area.value);
    });
    cancel.addEventListener("click", end);
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") end();
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (document.querySelector("#cr-box .stop-button")) {
        send.textContent = "Stop the reply first";
        setTimeout(() => { send.textContent = "Send"; }, 2000);
        return;
      }
      if (!area.value.trim() && !own.querySelector(".cr-sent-files")) return;
      tell({ message: Number(message), text: area.value }, conversation);
      end();
    });
    own.append(form);
    open.add(mine);
    fit();
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }

  // The buttons are drawn anew with the other version: the focus stays where it was.
  let wanted = null;
  function change(button) {
    wanted = { number: button.dataset.crNumber, label: button.title, until: performance.now() + 5000 };
    tell({ version: Number(button.dataset.crNumber) });
  }
  new MutationObserver(() => {
    if (!wanted) return;
    const at = document.activeElement ?? document.body;
    const elsewhere = at !== document.body && !at.closest("#cr-box, .cr-versions");
    if (elsewhere || performance.now() > wanted.until) { wanted = null; return; }
    const group = [...document.querySelectorAll(".cr-html .cr-versions")]
      .find((each) => each.dataset.crNumber === wanted.number);
    if (!group) return;
    const same = group.querySelector(`button[title="${wanted.label}"]:enabled`) ?? group.querySelector("button:enabled");
    wanted = null;
    same.focus();
  }).observe(document.documentElement, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["data-cr-number"],
  });

  document.addEventListener("click", ({ target }) => {
    const button = target instanceof Element && target.closest("button[data-cr]");
    if (!button?.closest(".cr-html")) return;
    if (button.matches('.cr-own [data-cr="edit"]')) begin(button.closest(".cr-own"));
    else if (button.matches('.cr-versions [data-cr="version"]')) change(button);
  });
})();
