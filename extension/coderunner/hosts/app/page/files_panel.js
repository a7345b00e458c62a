// The files of the conversation, in the panel at the right.
(() => {
  const FILTER_FROM = 12; // files
  const { folder, panel } = window.coderunner;
  const WORDS = { image: "picture", table: "table", text: "text", audio: "sound" };
  // Not in this page's place, which would end its connections.
  const APART = { target: "_blank", rel: "noopener noreferrer" };
  const date = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

  const MANY = "The 2,000 files that were changed last are shown. “Find a file” looks at all.";
  const make = (tag, names, ...children) => {
    const node = Object.assign(document.createElement(tag), names);
    node.append(...children);
    return node;
  };
  const icon = (path) => `<svg viewBox="0 0 16 16" width="14" height="14" fill="none" stroke="currentColor" stroke-width="1.4"
    stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="${path}"/></svg>`;
  const PENCIL = icon("M3 13l.7-2.8L10.6 3.3a1.2 1.2 0 0 1 1.7 0l.4.4a1.2 1.2 0 0 1 0 1.7L5.8 12.3 3 13zM9.4 4.5l2.1 2.1");
  const BIN = icon("M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5M6.7 7v3.5M9.3 7v3.5");

  class Files extends HTMLElement {
    #drawn = "";     // what the rows show, as it came
    #asked = 0;
    #last = null;    // what was asked for last, until it is drawn
    #later = 0;
    #at = null;
    #chat = "";
    #sent = "";      // the word by which the app has chosen what is drawn
    #cut = false;    // whether the chat has more files than a page is given at once

    connectedCallback() {
      if (!this.#at) this.#build();
      this.#listen(true);
      this.#refresh();
    }

    disconnectedCallback() { this.#listen(false); }

    #build() {
      const chooser = make("input", { type: "file", multiple: true, hidden: true });
      const upload = make("button", { type: "button", textContent: "Upload" });
      const all = make("a", { textContent: "Download all", hidden: true, ...APART });
      const filter = make("input", { type: "search", placeholder: "Find a file", hidden: true, ariaLabel: "Find a file" });
      const said = make("p", { className: "cr-fp-said", role: "status" });
      const uploads = make("ul", { className: "cr-fp-uploads" });
      const note = make("p", { className: "cr-help", hidden: true });
      const list = make("ul", { className: "cr-fp-list" });
      const below = make("p", { className: "cr-help" });
      this.#at = { chooser, all, filter, said, uploads, note, list, below };
      this.append(make("div", { className: "cr-fp-head" }, upload, all, chooser), said, uploads, filter, note, list, below);
      upload.addEventListener("click", () => chooser.click());
      chooser.addEventListener("change", () => {
        this.take({ files: [...chooser.files] });
        chooser.value = "";
      });
      filter.addEventListener("input", () => (this.#cut || this.#sent ? this.#soon() : this.#sift()));
      list.addEventListener("click", ({ target }) => {
        const button = target.closest("button"), row = target.closest("li");
        if (button?.dataset.crDo === "rename") this.#rename(row);
        if (button?.dataset.crDo === "delete") this.#delete(row);
      });
      list.addEventListener("keydown", (event) => {
        const row = event.target.closest("li");
        const act = event.target.matches("a") && { F2: () => this.#rename(row), Delete: () => this.#delete(row) }[event.key];
        if (!act) return;
        event.preventDefault();
        act();
      });
    }

    #soon = () => {
      clearTimeout(this.#later);
      this.#later = setTimeout(() => this.#refresh(), 150);
    };
    #panel = ({ detail }) => { if (detail === "files") this.#refresh(); };
    #visible = () => { if (document.visibilityState === "visible") this.#soon(); };

    #listen(begin) {
      const way = begin ? "addEventListener" : "removeEventListener";
      for (const name of ["shown", "ended", "files", "kernel"]) document[way](`coderunner-${name}`, this.#soon);
      document[way]("coderunner-panel", this.#panel);
      document[way]("visibilitychange", this.#visible);
    }

    // Done when what was asked for last is drawn: what is asked for meanwhile is drawn in place of this.
    async #refresh() {
      this.#last = this.#load();
      for (let last = null; last !== this.#last;) await (last = this.#last);
    }

    async #load() {
      const c = window.coderunner.shown(), asked = ++this.#asked;
      if (!c) return;
      try {
        if (c !== this.#chat) Object.assign(this.#at.filter, { value: "" });
        this.#cut &&= c === this.#chat;
        this.#chat = c;
        // Where there are more than are drawn, the app looks at all of them.
        const sent = this.#cut ? this.#word() : "", found = await folder.list(c, sent);
        if (asked === this.#asked) this.#sent = sent;
        if (asked === this.#asked) this.#draw(c, found);
      } catch (error) {
        if (asked !== this.#asked) return;
        this.#drawn = "";
        this.#at.list.replaceChildren();
        this.#at.note.hidden = true;
        this.#at.below.textContent = error.message;
        panel.count("files", 0);
      }
    }

    #draw(c, found) {
      const { files, cut, more, left, used, room, where } = found, { list, below, all, filter, note } = this.#at;
      const every = files.length + more;
      panel.count("files", every);
      this.#cut = cut;
      if (cut && this.#sent !== this.#word()) this.#soon();
      note.textContent = [cut ? MANY : "", left].filter(Boolean).join(" ");
      note.hidden = note.textContent === "";
      const now = JSON.stringify([c, files]);
      const words = [
        every ? "" : "No files yet. Drop files on the chat, or let code write some.",
        `${folder.size(used)} used${room === null ? "" : `, ${folder.size(room)} free`}.`, where,
      ].filter(Boolean).join(" ");
      below.replaceChildren(...window.coderunner.broken(words));
      all.hidden = every === 0;
      all.href = folder.zip(c);
      filter.hidden = every < FILTER_FROM;
      // Not while somebody types a name; it is drawn when that has ended.
      if (now === this.#drawn || list.querySelector("input")) return;
      this.#drawn = now;
      const focused = list.contains(document.activeElement) && document.activeElement;
      const place = focused && [focused.closest("li").crPath, focused.dataset.crDo ?? ""];
      list.replaceChildren(...files.map((file) => row(c, file)));
      this.#sift();
      if (place) this.#focus(...place);
    }

    #focus(path, what) {
      const found = [...this.#at.list.children].find((each) => each.crPath === path);
      (found?.querySelector(what ? `[data-cr-do="${what}"]` : "a") ?? this.querySelector("button")).focus();
    }

    #word() { return this.#at.filter.hidden ? "" : this.#at.filter.value.trim().toLowerCase(); }

    #sift() {
      const { list } = this.#at, word = this.#word();
      for (const each of list.children) each.hidden = word !== "" && !each.crPath.toLowerCase().includes(word);
    }

    #say(words) { this.#at.said.textContent = words; }

    #rename(row) {
      const link = row.querySelector("a"), old = row.crPath, c = window.coderunner.shown();
      const field = make("input", { value: folder.shown(old), maxLength: 250, ariaLabel: `New name of ${folder.shown(old)}` });
      field.className = "cr-rename";
      let over = false;
      const end = async (keep) => {
        if (over) return;
        over = true;
        const name = field.value.trim();
        field.replaceWith(link);
        link.focus();
        this.#say("");
        this.#drawn = "";
        let now = old;
        if (keep && name && name !== folder.shown(old)) {
          try { now = (await folder.rename(c, old, name)).path; } catch (error) { this.#say(error.message); }
        }
        await this.#refresh();
        this.#focus(now, "");
      };
      field.addEventListener("keydown", (event) => {
        event.stopPropagation();
        if (event.key === "Enter" && !event.isComposing) end(true);
        if (event.key === "Escape") end(false);
      });
      field.addEventListener("blur", () => { if (document.hasFocus()) end(true); });
      link.replaceWith(field);
      field.focus();
      const name = field.value.lastIndexOf("/") + 1, dot = field.value.lastIndexOf(".");
      field.setSelectionRange(name, dot > name ? dot : field.value.length);
    }

    async #delete(row) {
      const c = window.coderunner.shown(), path = row.crPath;
      const text = "It is deleted from this chat's folder permanently.";
      if (!await window.coderunner.ask(`Delete “${folder.shown(path)}”?`, text, "Delete", true)) return;
      const beside = (row.nextElementSibling ?? row.previousElementSibling)?.crPath;
      this.#say("");
      try { await folder.remove(c, [path]); } catch (error) { this.#say(error.message); }
      await this.#refresh();
      this.#focus(beside, "");
    }

    take({ files, more = false }) {
      const c = window.coderunner.shown();
      this.#say(more ? `The first ${files.length} files were taken. Zip the others, or drop them by themselves.` : "");
      for (const file of files) {
        const line = make("li", { className: "cr-chip" });
        const upload = folder.upload(c, file, (now) => {
          if (now.state === "done" || now.state === "cancelled") {
            line.remove();
          } else window.coderunner.chip(line, now);
        });
        this.#at.uploads.append(line);
        window.coderunner.chip(line, upload);
      }
    }
  }

  function row(c, { path, size, changed, kind }) {
    const name = folder.shown(path), when = date.format(new Date(changed));
    const link = make("a", { href: folder.file(c, path), title: name, ...APART }, make("bdi", { textContent: name }));
    const facts = [folder.size(size), WORDS[kind], when].filter(Boolean).join(" · ");
    const button = (what, label, html) => {
      const made = make("button", { type: "button", title: label, ariaLabel: `${label} ${name}`, innerHTML: html });
      made.dataset.crDo = what;
      return made;
    };
    const made = make("li", {}, make("div", {}, link, make("small", { textContent: facts })),
      button("rename", "Rename", PENCIL), button("delete", "Delete", BIN));
    made.crPath = path;
    return made;
  }

  customElements.define("code-runner-files", Files);
})();
