// CodeRunner in text-generation-webui: the bar below the block that waits or runs. It lives in the page's body: the
// webui redraws its messages all the time, and hides the extensions' forms together with its controls. What it shows
// comes from a file of this page's own; an event of gradio's would keep the page busy for too long.
{
  const EVERY = 500; // ms between two looks while a reply grows
  const WORTH_A_WORD = 1000; // ms from which on a running block is mentioned

  const box = (element) => element?.getBoundingClientRect();
  const last = (element, what) => [...(element?.querySelectorAll(what) ?? [])].at(-1);
  const field = () => box(document.querySelector("#chat-input-row"));
  // The block that waits or runs is the last one of the last message.
  const block = () => box(last(last(document, "#chat .message-body"), "pre"));

  document.getElementById("coderunner-bar")?.remove();
  const bar = document.createElement("div");
  bar.id = "coderunner-bar";
  bar.setAttribute("role", "status");
  const text = bar.appendChild(document.createElement("span"));
  const button = (label, target) => {
    const made = bar.appendChild(document.createElement("button"));
    made.type = "button";
    made.textContent = label;
    made.addEventListener("click", () => {
      if (shown.kind === "ask") answered = shown.number;
      show({ kind: "none" });
      document.getElementById(target)?.click();
    });
    return made;
  };
  const questions = [button("Run", "coderunner-run"), button("Skip", "coderunner-skip")];
  const interrupt = button("Interrupt", "coderunner-interrupt");
  questions[0].className = "go";
  document.body.appendChild(bar);

  let shown = { kind: "none" };
  let since = 0;
  let answered = null;

  // Right below the block; above the message field where the block is out of sight.
  const put = () => {
    const below = field(), above = block() ?? below;
    if (!bar.classList.contains("shown") || !below) return;
    const lowest = Math.min(below.top, window.innerHeight) - bar.offsetHeight - 6;
    bar.style.top = `${above.bottom > 0 ? Math.min(above.bottom + 8, lowest) : lowest}px`;
    bar.style.left = `${above.left}px`;
    bar.style.width = `${above.width}px`;
  };

  const show = (notice) => {
    if (notice.kind !== shown.kind || notice.number !== shown.number) since = performance.now();
    shown = notice;
    const asks = notice.kind === "ask" && notice.number !== answered;
    const age = performance.now() - since;
    const busy = notice.kind === "busy" && age >= WORTH_A_WORD;
    if (asks) text.textContent = notice.text;
    if (busy) text.textContent = `Block ${notice.number} has been running for ${Math.round(age / 1000)} s`;
    for (const each of questions) each.hidden = !asks;
    interrupt.hidden = !busy;
    const visible = Boolean((asks || busy) && field()?.width);
    const appears = visible && !bar.classList.contains("shown");
    bar.classList.toggle("shown", visible);
    document.body.classList.toggle("coderunner-barred", visible);
    // The webui's own: it goes to the end, unless the reader has scrolled away from there.
    if (appears && typeof autoScrollToBottom === "function") autoScrollToBottom();
    put();
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
  window.coderunnerTimer = setInterval(() => {
    if (document.querySelector("._generating")) look();
    else if (shown.kind !== "none") show({ kind: "none" });
  }, EVERY);

  // The number of the block that was on the bar when a person pressed a button: no other one is meant.
  window.coderunnerNumber = () => String(answered ?? "");
}
