// CodeRunner in text-generation-webui: the bar above the message field. It lives in the page's body, because the
// webui hides the extensions' forms together with its controls, and a question must be seen.
{
  const field = () => document.querySelector("#chat-input-row");
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

  const show = (glance) => {
    const { bar, text, run, skip } = parts;
    const place = field()?.getBoundingClientRect();
    if (glance === null) answered = bar.dataset.number ?? "";
    const number = glance?.dataset.number ?? "";
    const asks = glance?.dataset.kind === "ask" && number !== answered;
    const seen = place && place.width > 0 && (asks || glance?.dataset.kind === "busy");
    bar.classList.toggle("shown", Boolean(seen));
    if (!seen) return;
    if (text.textContent !== glance.textContent) text.textContent = glance.textContent;
    bar.dataset.number = number;
    run.hidden = skip.hidden = !asks;
    bar.style.left = `${place.left}px`;
    bar.style.width = `${place.width}px`;
    bar.style.bottom = `${Math.max(4, window.innerHeight - place.top + 6)}px`;
  };

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
