// CodeRunner in text-generation-webui: the status bar below the block that waits or runs. It is a child of the body:
// the webui redraws its messages all the time, and hides the extensions' forms together with its controls. Its content
// comes from a status file of this page; a gradio event would keep the page busy for too long.
{
  const EVERY = 500; // ms between two polls while a reply is written
  const TAKEN = 2000; // ms in which gradio has surely read the user's answer; it reads it twice
  const WORTH_A_WORD = 1000; // ms after which a running block is shown

  const box = (element) => element?.getBoundingClientRect();
  const last = (element, what) => [...(element?.querySelectorAll(what) ?? [])].at(-1);
  const field = () => box(document.querySelector("#chat-input-row"));
  // The block that waits or runs is the last one of the last message.
  const block = () => box(last(last(document, "#chat .message-body"), "pre"));

  document.getElementById("coderunner-bar")?.remove();
  const bar = document.createElement("div");
  bar.id = "coderunner-bar";
  bar.setAttribute("role", "status");
  const text = bar.appendChild(document.createElement("label"));
  text.htmlFor = "coderunner-line";
  // Input for a program is typed here.
  const form = bar.appendChild(document.createElement("form"));
  const input = form.appendChild(document.createElement("input"));
  Object.assign(input, { id: "coderunner-line", maxLength: 10000, autocomplete: "off", spellcheck: false });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    line = input.value;
    press("coderunner-answer");
    clearTimeout(forgetting); // it belongs to the previous answer
    forgetting = setTimeout(() => { line = ""; }, TAKEN);
  });
  const press = (target) => {
    if (shown.kind === "ask" || shown.kind === "query") answered = shown.number;
    show({ kind: "none" });
    document.getElementById(target)?.click();
  };
  const button = (label, target, where = bar) => {
    const made = where.appendChild(document.createElement("button"));
    made.type = target ? "button" : "submit";
    made.textContent = label;
    if (target) made.addEventListener("click", () => press(target));
    return made;
  };
  const send = button("Send", null, form);
  button("Cancel", "coderunner-cancel", form);
  const questions = [button("Run", "coderunner-run"), button("Skip", "coderunner-skip")];
  const interrupt = button("Interrupt", "coderunner-interrupt");
  questions[0].className = send.className = "go";
  document.body.appendChild(bar);

  let shown = { kind: "none" };
  let since = 0;
  let answered = null;
  let line = "";
  let forgetting = 0;

  // Unless the user is typing elsewhere.
  const idle = () => {
    const at = document.activeElement;
    return !at || at === document.body || bar.contains(at) || (at.matches("#chat-input textarea") && !at.value);
  };

  // Right below the block; above the message field if the block is out of sight.
  const put = () => {
    // A background block may be any block.
    const below = field(), above = (shown.kind !== "late" && block()) || below;
    if (!bar.classList.contains("shown") || !below) return;
    const lowest = Math.min(below.top, window.innerHeight) - bar.offsetHeight - 6;
    bar.style.top = `${above.bottom > 0 ? Math.min(above.bottom + 8, lowest) : lowest}px`;
    bar.style.left = `${above.left}px`;
    bar.style.width = `${above.width}px`;
  };

  // If an element in the page shows the block and its buttons, no bar is needed.
  const seen = (id) => document.getElementById(`cr-${id}`)?.shadowRoot?.querySelector(".cr-cell:not(.cr-away)");

  // A question is answered in its own chat: in another one a button would do nothing.
  const elsewhere = ({ chat }) => {
    const open = document.querySelector("#past-chats input:checked")?.value;
    return Boolean(chat && open && open.slice(0, 100) !== chat);
  };

  const show = (notice) => {
    if (notice.cell && seen(notice.cell)) notice = { kind: "none", seen: notice.kind };
    if (notice.kind === "ask" && elsewhere(notice)) notice = { kind: "none", seen: "ask" }; // it blocks nothing
    const away = notice.kind === "query" && elsewhere(notice);
    const another = notice.kind !== shown.kind || notice.number !== shown.number || notice.waits !== shown.waits || away !== shown.away;
    if (another) since = performance.now();
    shown = { ...notice, away };
    const queries = !away && notice.kind === "query" && notice.number !== answered;
    const asks = notice.kind === "ask" && notice.number !== answered;
    const age = performance.now() - since;
    const busy = notice.kind === "busy" && age >= WORTH_A_WORD;
    if (asks || queries && another) text.textContent = notice.text;
    if (away) text.textContent = `A program in the chat ${notice.chat} is waiting for your input; other replies wait for it`;
    const late = notice.kind === "late";
    if (late) text.textContent = `Block ${notice.number} is still running; its result will follow`;
    if (busy) {
      const doing = notice.waits ? `is ${notice.waits.toLowerCase()}` : `has been running for ${Math.round(age / 1000)} s`;
      text.textContent = `Block ${notice.number} ${doing}`;
    }
    for (const each of questions) each.hidden = !asks;
    form.hidden = !queries;
    // Text typed for one question is not sent to the next one.
    if (another || !queries) input.value = "";
    if (another) input.type = notice.password ? "password" : "text";
    interrupt.hidden = !busy && !late;
    const visible = Boolean((asks || queries || busy || late || away) && field()?.width);
    const appears = visible && !bar.classList.contains("shown");
    bar.classList.toggle("shown", visible);
    bar.classList.toggle("asks", queries);
    document.body.classList.toggle("coderunner-barred", visible);
    document.body.style.setProperty("--coderunner-room", `${bar.offsetHeight + 16}px`);
    // The webui's own: it scrolls to the end, unless the reader has scrolled away.
    if (appears && typeof autoScrollToBottom === "function") autoScrollToBottom();
    put();
    if (queries && another && visible && idle()) input.focus({ preventScroll: true });
  };

  const look = async () => {
    const file = document.querySelector("#coderunner-glance [data-file]")?.dataset.file;
    if (!file) return;
    const answer = await fetch(file, { cache: "no-store" }).catch(() => null);
    if (answer?.ok) show(await answer.json().catch(() => shown));
  };

  document.addEventListener("scroll", put, { capture: true, passive: true });
  window.addEventListener("resize", put);
  clearInterval(window.coderunnerTimer);
  let before = "";
  const grows = () => Boolean(document.querySelector("._generating"));
  const stays = (kind) => shown.kind === kind || shown.seen === kind;
  window.coderunnerTimer = setInterval(() => {
    const now = `${grows()} ${last(document, "#chat .message-body")?.textContent.length}`;
    // Again after its end, also for a very short reply: it may end with a block that asks.
    if (grows() || now !== before || stays("late") || stays("ask")) look();
    else if (shown.kind !== "none") show({ kind: "none" });
    before = now;
    if (wanted && !grows()) goOn();
  }, EVERY);

  // A reply ends at a block that asks, so that nothing waits for it; after the decision the webui continues it.
  let wanted = null;
  const goOn = () => {
    const { id } = wanted;
    wanted = null;
    // Only the latest reply of a chat can be continued. Its element may be another one since then.
    if (id && !last(document, "#chat .message-body")?.querySelector(`[id="${id}"]`)) return;
    document.getElementById("Continue")?.click();
  };
  window.coderunnerGoOn = (id) => {
    wanted = { id };
    if (!grows()) goOn();
  };

  // The user's latest answer.
  window.coderunnerLine = () => line;

  // The number of the block in the bar when the user pressed a button: only that one is meant.
  window.coderunnerNumber = () => String(answered ?? "");
}

if (!window.coderunnerHears) {
  window.coderunnerHears = true;
  document.addEventListener("coderunner-taken", ({ target, detail }) => {
    if (["run", "always", "skip"].includes(detail.act)) window.coderunnerGoOn(target.id);
  });
}

// An output may come when the webui has placed the reply already: it is placed anew, as the webui does it, and the page
// goes to the end where the reader has not scrolled away. Once the user interacts with the page, nothing jumps.
if (!window.coderunnerFollows) {
  window.coderunnerFollows = true;
  let follows = true;
  const writes = () => Boolean(document.querySelector("._generating"));
  const sizes = new ResizeObserver(() => {
    if (typeof autoScrollToBottom !== "function" || typeof updateInstructPadding !== "function") return;
    // Before, in case space is freed; and after, in case space is added.
    if (follows) autoScrollToBottom();
    updateInstructPadding();
    if (follows) autoScrollToBottom();
  });
  const heeded = new WeakSet();
  new MutationObserver(() => {
    follows ||= writes();
    for (const block of document.querySelectorAll("#chat code-runner-output")) {
      if (!heeded.has(block)) sizes.observe(block);
      heeded.add(block);
    }
  }).observe(document.body, { childList: true, subtree: true });
  const work = () => { follows = writes(); };
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, work, { capture: true, passive: true });
  window.addEventListener("blur", work); // also after a click into a frame
}

// The webui copies a reply as it keeps it. The marker lines of outputs mean nothing elsewhere.
if (!window.coderunnerCopies) {
  window.coderunnerCopies = true;
  const plain = (text) => text.replace(/^\[\/?(output|thought)\]\(coderunner:[\w-]+\)\n?/gm, "");
  const clipboard = navigator.clipboard; // undefined if the page came over plain HTTP from another machine
  if (clipboard) {
    const write = clipboard.writeText.bind(clipboard);
    clipboard.writeText = (text) => write(plain(text));
  }
  document.addEventListener("copy", (event) => {
    const { target, clipboardData } = event;
    // There the webui copies out of a field which it puts into the body; what is edited stands deeper.
    if (!target.matches?.("body > textarea")) return;
    clipboardData.setData("text/plain", plain(target.value.slice(target.selectionStart, target.selectionEnd)));
    event.preventDefault();
  });
}

// What code may reach is read when that section is opened, and while it is open after something was allowed at a block.
if (!window.coderunnerReach) {
  window.coderunnerReach = true;
  const SETTLED = 1500; // ms in which a grant has surely been kept
  const look = () => document.getElementById("coderunner-reach-look")?.click();
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#coderunner-reach > .label-wrap, #coderunner-reach > * > .label-wrap")) look();
    const open = document.querySelector("#coderunner-reach .label-wrap.open");
    if (open && event.composedPath()[0].dataset?.cr === "allow") setTimeout(look, SETTLED);
  });
}
