// The panel at the right, with its tabs; the buttons above the chat and *Settings* open it at theirs, a second press or
// Escape closes it. What draws a tab itself hears of it by four events on `document`:
// `coderunner-shown` (another conversation is shown: the id in `detail`), `coderunner-panel` (the panel shows another
// tab, or none: the name in `detail`), and `coderunner-ended` (a block of the conversation has ended, as those that show
// blocks tell, or a reply has: what was over before its block was drawn is told of then), and `coderunner-kernel` (the
// conversation's kernel may be another one, or none any more: its lights say so, and not that it starts or runs code).
(() => {
  const SETTINGS = ["model", "kernel"];
  const right = () => document.querySelector("#cr-right");
  const left = () => document.querySelector("#cr-left");
  const isOpen = (sidebar) => Boolean(sidebar?.classList.contains("open"));
  const toggle = (sidebar) => sidebar?.querySelector(".toggle-button").click();
  const place = (tab) => document.querySelector(`#cr-tab-${tab}-button`);
  const chosen = () => /^cr-tab-(\w+)-button$/.exec(
    document.querySelector('#cr-tabs [role="tab"][aria-selected="true"]')?.id ?? "")?.[1] ?? "";
  // The tab that is shown; "" while the panel is closed.
  const shown = () => (isOpen(right()) ? chosen() : "");
  // Below this width the chat has room beside one of the two only.
  const both = matchMedia("(min-width: 1080px)");
  let opener = null, told = "", asked = "", yielded = false;

  function open(tab) {
    if (!isOpen(right())) toggle(right());
    place(tab)?.click();
  }

  function close() {
    if (!isOpen(right())) return;
    toggle(right());
    // A button that is hidden with its sidebar takes no focus.
    if (opener?.checkVisibility()) opener.focus({ preventScroll: true });
  }

  function press(button, tabs) {
    opener = button;
    if (tabs.includes(shown())) close();
    else open(tabs.includes(chosen()) ? chosen() : tabs[0]);
  }

  function count(tab, number) {
    const badge = document.querySelector(`[data-cr-panel="${tab}"] .cr-count`);
    if (badge) badge.textContent = number ? Number(number).toLocaleString("en") : "";
  }

  window.coderunner.panel = { open, close, count, shown, makeRoom };

  document.addEventListener("click", ({ target }) => {
    if (!(target instanceof Element)) return;
    const button = target.closest("#cr-bar [data-cr-panel]");
    if (button) press(button, [button.dataset.crPanel]);
    else if (target.closest("#cr-settings, #cr-top [data-cr=settings]")) press(target.closest("button"), SETTINGS);
  });

  // Whoever has something of their own to close gets the key alone.
  const others = (event) => event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")
    || event.composedPath().some((node) => node instanceof Element
      && (node.popover || (node.type === "search" && node.value)
        || node.matches('.cr-edit, .cr-rename, .cr-naming, .cr-tools[open], .cm-editor, [aria-expanded="true"][role="listbox"]')));
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isOpen(right()) || others(event)) return;
    // Once everybody else has heard it.
    setTimeout(() => { if (!event.defaultPrevented) close(); });
  }, true);

  function follow() {
    const now = shown();
    for (const button of document.querySelectorAll("#cr-bar [data-cr-panel]")) {
      button.setAttribute("aria-expanded", String(button.dataset.crPanel === now));
    }
    if (now === told) return;
    const opened = told === "";
    told = now;
    if (now && opened) yieldLeft();
    if (!now) comeBack();
    document.dispatchEvent(new CustomEvent("coderunner-panel", { detail: now }));
  }

  function yieldLeft() {
    if (both.matches || !isOpen(left())) return;
    toggle(left());
    yielded = innerWidth > 768;
  }

  function comeBack() {
    if (yielded && !isOpen(left()) && innerWidth > 768) toggle(left());
    yielded = false;
  }

  // The list is there again: at once, or when the panel leaves room for it.
  function makeRoom() {
    yielded = true;
    if (both.matches || !shown()) comeBack();
  }

  both.addEventListener("change", () => {
    if (both.matches) comeBack();
    else if (shown()) yieldLeft();
  });

  function listen() {
    const watch = new MutationObserver(follow);
    watch.observe(right(), { attributes: true, attributeFilter: ["class"] });
    watch.observe(document.querySelector("#cr-tabs"), {
      attributes: true, subtree: true, attributeFilter: ["aria-selected"],
    });
    // The other way round: who opens the left one has done with this one.
    new MutationObserver(() => {
      if (both.matches || !isOpen(left()) || !isOpen(right())) return;
      yielded = false;
      close();
    }).observe(left(), { attributes: true, attributeFilter: ["class"] });
    let rests = "";
    new MutationObserver(() => {
      const now = window.coderunner.shown(), other = now !== asked;
      const light = document.querySelector("#cr-kernel .cr-kernel-status:not(.cr-run)")?.dataset.crMark ?? rests;
      if (!other && light === rests) return;
      [asked, rests] = [now, light];
      document.dispatchEvent(other ? new CustomEvent("coderunner-shown", { detail: now }) : new CustomEvent("coderunner-kernel"));
    }).observe(document.querySelector("#cr-kernel"), { childList: true, subtree: true, attributeFilter: ["data-cr-mark"] });
    let ends = "";
    new MutationObserver(() => {
      const feet = document.querySelectorAll("#cr-chat .cr-foot"), now = `${asked} ${feet.length}`;
      if (now === ends) return;
      const same = ends.startsWith(`${asked} `);
      ends = now;
      if (same) document.dispatchEvent(new CustomEvent("coderunner-ended"));
    }).observe(document.querySelector("#cr-chat"), { childList: true, subtree: true });
    follow();
  }

  const wait = new MutationObserver(() => {
    if (!right() || !left() || !document.querySelector("#cr-tabs [role=tab]")
      || !document.querySelector("#cr-kernel") || !document.querySelector("#cr-chat")) return;
    wait.disconnect();
    listen();
  });
  wait.observe(document.documentElement, { childList: true, subtree: true });
})();
