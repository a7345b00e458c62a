// The list of conversations: links that open on this page, a URL for each, renaming in the row.
(() => {
  const wanted = () => new URLSearchParams(location.search).get("c") ?? "";
  const narrow = () => innerWidth <= 768;
  const HEAD = 24; // pixels of the heading above the first row of a section
  let asked = 0, pushing = false, followed = null, drawn = null;

  const { ask, tell } = window.coderunner;

  // Numbered, so that the same request twice counts as a change.
  const go = (id) => tell("cr-goto", `${id} ${++asked}`);
  const send = (what) => tell("cr-list-action", JSON.stringify({ ...what, number: ++asked }));

  function open(id) {
    pushing = id !== wanted();
    go(id);
    if (narrow()) document.querySelector("#cr-left.open .toggle-button")?.click();
  }

  addEventListener("popstate", () => go(wanted()));

  // Tab leads to one row and its buttons; arrows lead to the others.
  function reach(row) {
    for (const each of document.querySelectorAll("#cr-list nav :is(a, button)")) each.tabIndex = row?.contains(each) ? 0 : -1;
  }

  const MOVES = { ArrowDown: (at) => at + 1, ArrowUp: (at) => at - 1, Home: () => 0, End: (_at, count) => count - 1 };

  function move(event, link) {
    const links = [...document.querySelectorAll("#cr-list [data-cr-chat] > a")];
    links[MOVES[event.key](links.indexOf(link), links.length)]?.focus();
  }

  document.addEventListener("focusin", ({ target }) => {
    const row = target.closest("#cr-list [data-cr-chat]");
    if (row) reach(row);
  });

  // Scrolls the list, and nothing else, as far as the row of the chat that is shown needs it; to its top for a new chat.
  function bring(list, link) {
    const [at, place] = [link?.getBoundingClientRect(), list.getBoundingClientRect()];
    if (!at) list.scrollTop = 0;
    else list.scrollTop += Math.min(0, at.top - place.top - HEAD) || Math.max(0, at.bottom - place.bottom);
  }

  // The URL follows the conversation that is shown.
  function follow() {
    const nav = document.querySelector("#cr-list nav");
    if (!nav) return;
    if (nav !== drawn) reach(nav.querySelector(".cr-here") ?? nav.querySelector("[data-cr-chat]"));
    drawn = nav;
    const { crCurrent: id, crTitle: title } = nav.dataset;
    const called = title ? `${title} · CodeRunner` : "CodeRunner";
    if (document.title !== called) document.title = called;
    // Only a change counts: after "back" the list still names the conversation before.
    if (id === followed) return;
    followed = id;
    bring(nav.parentElement.closest("#cr-list"), nav.querySelector("[aria-current]"));
    if (id === wanted()) return;
    history[pushing ? "pushState" : "replaceState"](null, "", id ? `?c=${id}` : location.pathname);
    pushing = false;
  }

  // A field over the row, outside the list, which may change while somebody types.
  function rename(row) {
    const list = document.querySelector("#cr-list");
    const field = document.createElement("input");
    field.className = "cr-rename";
    field.value = row.dataset.crName;
    field.maxLength = 80;
    field.setAttribute("aria-label", "Name of the conversation");
    field.style.top = `${row.getBoundingClientRect().top - list.getBoundingClientRect().top + list.scrollTop}px`;
    let over = false, left = false;
    // The message box takes the focus whenever it is drawn anew: only a person's click or Tab leaves the field.
    const leave = (event) => { left = event.target !== field; };
    const end = (keep) => {
      if (over) return;  // removing the field takes the focus away, which would end it again
      over = true;
      document.removeEventListener("pointerdown", leave, true);
      const title = field.value.trim();
      field.remove();
      if (keep && title && title !== row.dataset.crName) send({ rename: row.dataset.crChat, title });
      document.querySelector(`#cr-list [data-cr-chat="${row.dataset.crChat}"] a`)?.focus();
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.isComposing) end(true);
      if (event.key === "Escape") end(false);
      if (event.key === "Tab") left = true;
    });
    field.addEventListener("blur", () => {
      if (left || !document.hasFocus()) end(true);
      else setTimeout(() => field.focus());
    });
    document.addEventListener("pointerdown", leave, true);
    list.append(field);
    field.select();
  }

  // Where its files are is said as soon as the app has said it.
  async function remove({ dataset: { crChat: id, crName: name } }) {
    const text = "Its messages, code and outputs are deleted permanently, and its kernel shuts down. "
      + "Its files are kept.";
    const answer = ask(`Delete “${name}”?`, text, "Delete", true), said = document.querySelector(".cr-dialog p");
    const { broken, folder } = window.coderunner;
    folder.list(id).then(({ files, where }) => { if (files.length) said.append(" ", ...broken(where)); }, () => {});
    if (await answer) send({ delete: id });
  }

  function save(row) {
    const link = document.createElement("a");
    link.href = `coderunner/notebook?c=${row.dataset.crChat}`;
    link.download = "";
    link.click();
    send({ saved: row.dataset.crChat });
  }

  function pin(row) {
    const pinned = row.dataset.crPinned === undefined;
    send({ pin: row.dataset.crChat, pinned });
    keepFocus(row.dataset.crChat, pinned);
  }

  // The row comes back at another place, and the focus with it, unless it has gone elsewhere.
  function keepFocus(id, pinned) {
    const wait = new MutationObserver(() => {
      const row = document.querySelector(`#cr-list [data-cr-chat="${id}"]`);
      if (!row || (row.dataset.crPinned !== undefined) !== pinned) return;
      wait.disconnect();
      const at = document.activeElement ?? document.body;
      if (at === document.body || at.closest("#cr-list, #cr-box")) row.querySelector("a").focus();
    });
    wait.observe(document.querySelector("#cr-list"), { childList: true, subtree: true, attributes: true });
    setTimeout(() => wait.disconnect(), 20000);
  }

  const ACTIONS = { save, rename, pin, delete: remove };
  const KEYS = { F2: rename, Delete: remove, p: pin, P: pin };

  document.addEventListener("click", (event) => {
    const at = event.target instanceof Element ? event.target : document.body;
    const row = at.closest("#cr-list [data-cr-chat]"), action = at.closest("#cr-list [data-cr-do]");
    if (action) ACTIONS[action.dataset.crDo](row);
    else if (at.closest("#cr-new")) pushing = true;
    else if (row && at.closest("a") && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)) {
      event.preventDefault();
      open(row.dataset.crChat);
    }
  });

  document.addEventListener("keydown", (event) => {
    const link = event.target instanceof Element && event.target.closest("#cr-list [data-cr-chat] > a");
    if (!link || event.ctrlKey || event.metaKey || event.altKey || !(KEYS[event.key] ?? MOVES[event.key])) return;
    event.preventDefault();
    if (KEYS[event.key]) KEYS[event.key](link.parentElement);
    else move(event, link);
  });

  // The list comes with the page and is replaced as a whole.
  new MutationObserver(follow).observe(document.documentElement, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["data-cr-current", "data-cr-title"],
  });
})();
