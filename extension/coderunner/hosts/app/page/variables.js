// What the kernel of the shown conversation holds: the panel's tab *Variables*, the rows of a table, and what the
// kernel uses. All of it is asked without a cell; what a kernel says is text here and nothing else.
(() => {
  const { shown } = window.coderunner, panel = () => window.coderunner.panel;
  const token = () => document.querySelector('meta[name="coderunner-token"]').content;
  const TYPING = 200, SOON = 100, OFTEN = 4000; // milliseconds
  const ROWS = 50;

  async function ask(route, query, signal) {
    const answer = await fetch(`coderunner/${route}?${new URLSearchParams({ c: shown(), ...query })}`,
      { headers: { "X-CodeRunner-Token": token() }, signal });
    return answer.json();
  }

  function make(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    if (tag === "button") made.type = "button";
    return made;
  }

  function bytes(number) {
    if (number === null || number === undefined) return "";
    const units = ["B", "kB", "MB", "GB", "TB"];
    let unit = 0;
    for (; number >= 999.5 && unit < 4; unit++) number /= 1000;
    return `${unit && number < 10 ? number.toFixed(1) : Math.round(number)} ${units[unit]}`;
  }

  // --- the rows of a table ---------------------------------------------------------------------------------

  class Grid {
    constructor(name, about) {
      Object.assign(this, { name, offset: 0, first: 0, sort: null, descending: false });
      this.dialog = make("dialog", "cr-dialog cr-table");
      this.dialog.setAttribute("aria-label", name);
      const head = make("header");
      head.append(make("h3", "", name), make("span", "cr-soft", about));
      const close = make("button", "cr-close", "×");
      close.setAttribute("aria-label", "Close");
      close.addEventListener("click", () => this.dialog.close());
      head.append(close);
      this.scroller = make("div", "cr-table-rows");
      this.scroller.tabIndex = 0;
      this.said = make("p", "cr-said");
      this.said.setAttribute("role", "status");
      this.feet = make("div", "cr-table-feet");
      this.dialog.append(head, this.said, this.scroller, this.feet);
      this.dialog.addEventListener("close", () => this.dialog.remove());
      document.body.append(this.dialog);
      this.dialog.showModal();
      this.load();
    }

    async load() {
      const query = { name: this.name, offset: this.offset, limit: ROWS, first: this.first };
      if (this.sort !== null) Object.assign(query, { sort: this.sort, descending: Number(this.descending) });
      this.loading?.abort();
      this.loading = new AbortController();
      this.dialog.setAttribute("aria-busy", "true");
      try {
        const page = await ask("table", query, this.loading.signal);
        this.said.textContent = page.error ? sentence(page.error) : "";
        if (page.error) this.sort = this.before?.sort ?? null;
        else this.draw(page);
      } catch (error) {
        if (error.name === "AbortError") return;
        this.said.textContent = "The rows could not be loaded. Is the app still running?";
      }
      this.dialog.removeAttribute("aria-busy");
    }

    draw(page) {
      this.before = { sort: this.sort };
      const table = make("table"), body = make("tbody"), head = make("tr");
      head.append(make("th"));
      page.columns.forEach(([name, type], at) => head.append(this.title(name, type, at + this.first)));
      const top = make("thead");
      top.append(head);
      // What is missing stands where the other values of its column stand.
      const texts = page.columns.map((_, at) => page.rows.some((row) => row[at] && !isNumber(row[at])));
      page.rows.forEach((row, at) => {
        const line = make("tr"), label = make("th", "", page.labels[at]);
        label.scope = "row";
        line.append(label, ...row.map((cell, column) => {
          const number = isNumber(cell) && !(cell === "NaN" && texts[column]);
          const made = make("td", number ? "cr-number" : "", cell);
          if (cell.length > 40) made.title = cell;
          return made;
        }));
        body.append(line);
      });
      table.append(top, body);
      const { scrollLeft } = this.scroller;
      this.scroller.replaceChildren(table);
      this.scroller.scrollTo(scrollLeft, 0);
      this.feet.replaceChildren(
        this.pager("rows", this.offset, page.rows.length, page.total, (by) => { this.offset += by * ROWS; }),
        ...(page.width > page.columns.length ? [this.pager("columns", this.first, page.columns.length, page.width,
          (by) => { this.first += by * 100; })] : []));
    }

    title(name, type, number) {
      const cell = make("th"), button = make("button");
      cell.scope = "col";
      button.append(make("span", "", name), ...(type ? [make("small", "cr-soft", type)] : []));
      const sorted = this.sort === number;
      cell.setAttribute("aria-sort", sorted ? (this.descending ? "descending" : "ascending") : "none");
      button.addEventListener("click", () => {
        this.before = { sort: this.sort };
        if (!sorted) Object.assign(this, { sort: number, descending: false });
        else if (!this.descending) this.descending = true;
        else this.sort = null;
        this.offset = 0;
        this.load();
      });
      cell.append(button);
      return cell;
    }

    pager(what, from, count, total, turn) {
      const pager = make("div", "cr-pager"), last = from + count;
      const step = (sign, label, possible) => {
        const button = make("button", "", sign);
        button.disabled = !possible;
        button.setAttribute("aria-label", `${label} ${what}`);
        button.addEventListener("click", () => { turn(sign === "‹" ? -1 : 1); this.load(); });
        return button;
      };
      const range = count ? `${(from + 1).toLocaleString("en")}–${last.toLocaleString("en")}` : "0";
      pager.append(step("‹", "Earlier", from > 0), make("span", "", `${what} ${range} of ${total.toLocaleString("en")}`),
        step("›", "Further", last < total));
      return pager;
    }
  }

  const isNumber = (text) => /^[-+]?(\d[\d_,]*\.?\d*(e[-+]?\d+)?|nan|inf)$/i.test(text);
  const sentence = (text) => (/[.!?]$/.test(text) ? text : `${text}.`).replace(/^./, (first) => first.toUpperCase());

  // --- what is known -----------------------------------------------------------------------------------------

  // There also while no tab shows it: for the count on the button, and for names in the message box.
  const held = Object.assign(new EventTarget(), {
    variables: [], more: 0, why: "", match: "", before: new Map(), changed: new Set(), fresh: false, later: 0,

    // Something may have changed. While no tab shows the list, only how many there are is asked for.
    renew() {
      clearTimeout(this.later);
      this.fresh = false;
      this.later = setTimeout(() => (panel()?.shown() === "variables" ? this.load() : this.count()), SOON);
    },

    async count() {
      const of = shown();
      if (!of) return;
      const { count = 0 } = await ask("variables", { count: 1 }).catch(() => ({}));
      if (of === shown() && !this.fresh) panel()?.count("variables", count);
    },

    async load() {
      this.loading?.abort();
      if (!shown()) return;
      this.loading = new AbortController();
      const asked = this.asked = this.match;
      let found;
      try {
        found = await ask("variables", asked ? { match: asked } : {}, this.loading.signal);
        if (found.error) found = { variables: [], more: 0, why: found.error };
      } catch (error) {
        if (error.name === "AbortError") return;
        found = { variables: [], more: 0, why: "The variables could not be loaded. Is the app still running?" };
      }
      Object.assign(this, found, { fresh: !asked });
      if (!asked) this.compare();
      this.dispatchEvent(new Event("change"));
    },

    // What the last block that changed anything has changed stays marked.
    compare() {
      const now = new Map(this.variables.map((each) => [each.name, look(each)]));
      const changed = [...now].filter(([name, looks]) => this.before.get(name) !== looks).map(([name]) => name);
      if (changed.length) this.changed = new Set(this.before.size ? changed : []);
      this.before = now;
      panel()?.count("variables", this.variables.filter((each) => each.kind === "data").length + this.more);
    },

    forget() {
      this.before.clear();
      this.changed.clear();
      Object.assign(this, { variables: [], more: 0, why: "", match: "", fresh: false });
    },
  });
  for (const name of ["coderunner-ended", "coderunner-kernel"]) document.addEventListener(name, () => held.renew());
  document.addEventListener("coderunner-shown", () => { held.forget(); held.renew(); });
  document.addEventListener("coderunner-panel", ({ detail }) => { if (detail === "variables") held.load(); });

  // --- the list ----------------------------------------------------------------------------------------------

  class Variables extends HTMLElement {
    connectedCallback() {
      if (this.list) return;
      this.className = "cr-variables";
      this.filter = make("input");
      Object.assign(this.filter, { type: "search", placeholder: "Filter by name or type", spellcheck: false });
      this.filter.setAttribute("aria-label", "Filter variables by name or type");
      this.said = make("p", "cr-said");
      this.said.setAttribute("role", "status");
      this.list = make("div", "cr-variable-list");
      this.rest = make("details", "cr-variable-rest");
      this.rest.append(make("summary"), make("div", "cr-variable-list"));
      this.append(this.filter, this.said, this.list, this.rest);
      this.filter.value = held.match;
      this.filter.addEventListener("input", () => {
        held.match = this.filter.value.trim();
        this.draw();
        clearTimeout(this.typing);
        // Where not all are here, the kernel looks for those that are meant.
        if (held.more || held.asked) this.typing = setTimeout(() => held.load(), TYPING);
      });
      held.addEventListener("change", () => this.draw());
      document.addEventListener("coderunner-shown", () => { this.filter.value = ""; });
      this.draw();
    }

    draw() {
      const wanted = this.filter.value.trim().toLowerCase();
      const found = held.variables.filter((each) => `${each.name}\n${each.type}`.toLowerCase().includes(wanted));
      const data = found.filter((each) => each.kind === "data");
      const others = found.filter((each) => each.kind !== "data");
      data.sort((one, two) => one.name.localeCompare(two.name, "en", { numeric: true }));
      const focused = document.activeElement?.closest?.(".cr-variable")?.dataset.name;
      this.list.replaceChildren(...data.map((each) => this.row(each)));
      this.rest.hidden = !others.length;
      this.rest.firstElementChild.textContent = `Functions, classes and modules (${others.length})`;
      if (wanted && others.length) this.rest.open = true;
      this.rest.lastElementChild.replaceChildren(...others.map((each) => this.row(each)));
      this.said.textContent = this.words(data, wanted);
      if (focused) this.querySelector(`.cr-variable[data-name="${CSS.escape(focused)}"] button`)?.focus();
    }

    words(data, wanted) {
      if (held.why) return sentence(held.why);
      const { more } = held;
      if (more) return `${held.variables.length} of ${(held.variables.length + more).toLocaleString("en")} `
        + "variables, the newest ones; filter to find others.";
      if (data.length) return "";
      return wanted ? "No variable of that name or type." : "No variables yet.";
    }

    row(each) {
      const row = make("div", "cr-variable"), name = make(each.table ? "button" : "span", "cr-name", each.name);
      row.dataset.name = each.name;
      row.classList.toggle("cr-changed", held.changed.has(each.name));
      const type = make("span", "cr-soft", [each.type, each.extent].filter(Boolean).join(" "));
      if (each.home && each.home !== "builtins") type.title = `${each.home}.${each.type}`;
      const value = make("span", "cr-value", each.value);
      value.title = each.value;
      if (each.table) {
        name.title = "Show the rows";
        name.addEventListener("click", () => new Grid(each.name, type.textContent));
      }
      const mention = make("button", "cr-mention", "@");
      mention.title = `Tell the model of ${each.name}`;
      mention.setAttribute("aria-label", mention.title);
      mention.addEventListener("click", () => mentioned(each.name));
      row.append(name, type, make("span", "cr-size cr-soft", bytes(each.size)), mention, value);
      return row;
    }
  }

  const look = (each) => JSON.stringify([each.type, each.value, each.extent, each.size]);

  // The message box gets `@name`; the message then brings what the variable is.
  function mentioned(name) {
    const box = document.querySelector("#cr-box textarea");
    if (!box) return;
    box.value += `${box.value && !/\s$/.test(box.value) ? " " : ""}@${name} `;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.focus();
  }

  // --- names in the message box --------------------------------------------------------------------------------

  // After an @ the message box offers the names that begin with what stands there.
  const NAMED = 8, BEGUN = /(?:^|[^\p{L}\p{N}_@./`])@([\p{L}_][\p{L}\p{N}_]*)?$/u;
  const offer = make("ul", "cr-names");
  Object.assign(offer, { id: "cr-names", hidden: true });
  offer.setAttribute("role", "listbox");
  offer.setAttribute("aria-label", "Variables");
  const isBox = (target) => target instanceof HTMLTextAreaElement && target.closest("#cr-box") !== null;

  function begun(box) {
    const found = BEGUN.exec(box.value.slice(0, box.selectionStart));
    return found && box.selectionStart === box.selectionEnd ? found[1] ?? "" : null;
  }

  function propose(box) {
    const start = begun(box);
    const fit = start === null ? [] : held.variables.filter((each) => each.kind === "data" && each.name !== start
      && each.name.toLowerCase().startsWith(start.toLowerCase())).slice(-NAMED).reverse();
    offer.replaceChildren(...fit.map((each, at) => {
      const item = make("li", "", each.name);
      item.id = `cr-name-${at}`;
      item.setAttribute("role", "option");
      item.append(make("span", "cr-soft", `${each.type} ${each.extent}`));
      item.dataset.name = each.name;
      // Before the box loses the focus.
      item.addEventListener("pointerdown", (event) => { event.preventDefault(); choose(box, each.name); });
      return item;
    }));
    offer.hidden = !fit.length;
    box.classList.toggle("cr-naming", !offer.hidden);
    if (offer.hidden) { box.removeAttribute("aria-activedescendant"); return; }
    box.setAttribute("aria-controls", offer.id);
    if (offer.parentElement !== document.body) document.body.append(offer);
    const { left, top, width } = box.closest("#cr-box").getBoundingClientRect();
    Object.assign(offer.style, { left: `${left}px`, bottom: `${innerHeight - top + 4}px`, maxWidth: `${width}px` });
    mark(box, 0);
  }

  function mark(box, at) {
    [...offer.children].forEach((item, number) => item.setAttribute("aria-selected", String(number === at)));
    box.setAttribute("aria-activedescendant", offer.children[at].id);
  }

  function choose(box, name) {
    const end = box.selectionStart, start = end - begun(box).length;
    box.setRangeText(`${name} `, start, end, "end");
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  document.addEventListener("input", ({ target }) => {
    if (!isBox(target)) return;
    // The names come when an @ asks for them.
    if (begun(target) !== null && !held.fresh) held.load();
    propose(target);
  });
  held.addEventListener("change", () => { if (isBox(document.activeElement)) propose(document.activeElement); });
  document.addEventListener("focusout", ({ target }) => {
    if (!isBox(target)) return;
    offer.hidden = true;
    target.classList.remove("cr-naming");
  });
  addEventListener("keydown", (event) => {
    const { target: box, key } = event;
    if (!isBox(box) || offer.hidden || event.isComposing) return;
    const items = [...offer.children], at = items.findIndex((item) => item.ariaSelected === "true");
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (step) mark(box, (at + step + items.length) % items.length);
    else if ((key === "Enter" && !event.shiftKey) || key === "Tab") choose(box, items[at].dataset.name);
    else if (key !== "Escape") return;
    if (key === "Escape") { offer.hidden = true; setTimeout(() => box.classList.remove("cr-naming")); }
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);

  // --- what the kernel uses ----------------------------------------------------------------------------------

  class Usage extends HTMLElement {
    connectedCallback() {
      if (this.timer) return;
      this.className = "cr-usage cr-soft";
      this.timer = setInterval(() => { if (this.often) this.load(); }, OFTEN);
      const anew = () => { this.often = true; this.last = null; this.load(); };
      for (const name of ["coderunner-ended", "coderunner-kernel"]) document.addEventListener(name, () => this.load());
      document.addEventListener("coderunner-shown", anew);
      document.addEventListener("visibilitychange", () => { if (!document.hidden) this.load(); });
      anew();
    }

    // The light says whether there is a kernel.
    get runs() {
      const light = document.querySelector("#cr-kernel .cr-kernel-status");
      return light !== null && !light.matches(".cr-off, .cr-bad");
    }

    async load() {
      const of = shown();
      if (document.hidden || !of) return;
      if (!this.runs) { this.textContent = ""; this.last = null; return; }
      let now;
      try {
        now = await ask("usage", {});
      } catch {
        return;
      }
      if (of !== shown()) return;
      this.often = now.often;
      if (now.error) { this.textContent = ""; this.last = null; return; }
      const { last } = this, passed = last ? now.at - last.at : 0;
      const cpu = passed > 0 ? ` · ${Math.max(0, Math.round(100 * (now.cpu - last.cpu) / passed))} % CPU` : "";
      this.textContent = `${bytes(now.memory)}${cpu}`;
      this.last = now;
    }
  }

  customElements.define("code-runner-variables", Variables);
  customElements.define("code-runner-usage", Usage);
})();
