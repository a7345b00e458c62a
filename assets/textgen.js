// CodeRunner in text-generation-webui: the bar below the block that waits or runs. It lives in the page's body: the
// webui redraws its messages all the time, and hides the extensions' forms together with its controls.
{
  const box = (element) => element?.getBoundingClientRect();
  const field = () => box(document.querySelector("#chat-input-row"));
  // The block that waits or runs is the last one of the last message.
  const last = (element, what) => [...(element?.querySelectorAll(what) ?? [])].at(-1);
  const block = () => box(last(last(document, "#chat .message-body"), "pre"));
  const press = (id) => document.getElementById(id)?.click();

  const make = () => {
    const bar = document.createElement("div");
    bar.id = "coderunner-bar";
    bar.setAttribute("role", "status");
    const text = bar.appendChild(document.createElement("span"));
    const button = (label, target) => {
      const made = bar.appendChild(document.createElement("button"));
      made.type = "button";
      made.textContent = label;
      made.addEventListener("click", () => { show(null); press(target); });
      return made;
    };
    const run = button("Run", "coderunner-run");
    run.className = "go";
    const skip = button("Skip", "coderunner-skip");
    document.body.appendChild(bar);
    return { bar, text, run, skip };
  };

  document.getElementById("coderunner-bar")?.remove();
  const parts = make();
  let answered = "";

  // Right below the block; above the message field where the block is out of sight.
  const put = () => {
    const { bar } = parts, below = field(), above = block() ?? below;
    if (!bar.classList.contains("shown") || !below) return;
    const lowest = Math.min(below.top, window.innerHeight) - bar.offsetHeight - 6;
    bar.style.top = `${above.bottom > 0 ? Math.min(above.bottom + 8, lowest) : lowest}px`;
    bar.style.left = `${above.left}px`;
    bar.style.width = `${above.width}px`;
  };

  const show = (glance) => {
    const { bar, text, run, skip } = parts;
    const place = field();
    if (glance === null) answered = bar.dataset.number ?? "";
    const number = glance?.dataset.number ?? "";
    const asks = glance?.dataset.kind === "ask" && number !== answered;
    const seen = place && place.width > 0 && (asks || glance?.dataset.kind === "busy");
    bar.classList.toggle("shown", Boolean(seen));
    if (!seen) return;
    if (text.textContent !== glance.textContent) text.textContent = glance.textContent;
    bar.dataset.number = number;
    run.hidden = skip.hidden = !asks;
    put();
  };

  document.addEventListener("scroll", put, { capture: true, passive: true });
  window.addEventListener("resize", put);

  // While a reply grows, and for a moment after it, ask how its block is doing.
  let ticks = 0;
  clearInterval(window.coderunnerTimer);
  window.coderunnerTimer = setInterval(() => {
    ticks = document.querySelector("._generating") ? 3 : ticks - 1;
    if (ticks < 0) return;
    if (!document.hidden) press("coderunner-look");
    show(document.querySelector("#coderunner-glance [data-kind]"));
  }, 600);

  // The number of the block that was on the bar when a person pressed a button: no other one is meant.
  window.coderunnerNumber = () => parts.bar.dataset.number ?? "";
}
