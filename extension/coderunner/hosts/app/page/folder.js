// The files of a conversation, as the app's routes give and take them. `coderunner-files` on `document` says that this
// page has changed those of the conversation in `detail`.
(() => {
  const AT_ONCE = 3; // uploads
  const LOST = "The app cannot be reached. Check that it is running, and try again.";
  const address = (name, query) => `coderunner/${name}?${new URLSearchParams(query)}`;
  const headers = () => ({ "X-CodeRunner-Token": document.querySelector('meta[name="coderunner-token"]').content });
  const changed = (c) => document.dispatchEvent(new CustomEvent("coderunner-files", { detail: c }));

  async function answered(request) {
    const answer = await request.catch(() => { throw new Error(LOST); });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok || said.error) throw new Error(said.error ?? `The app answered ${answer.status}. Try again.`);
    return said;
  }

  async function change(c, what) {
    const init = { method: "POST", headers: { ...headers(), "Content-Type": "application/json" }, body: JSON.stringify(what) };
    try {
      return await answered(fetch(address("files", { c }), init));
    } finally {
      changed(c);
    }
  }

  // A file on its way. The browser reads it from the disk as it is sent.
  class Upload {
    state = "waits"; // sends, done, failed, cancelled
    sent = 0;
    error = "";
    path = "";
    #request = null;

    constructor(c, file, told) {
      Object.assign(this, { c, file, told, name: file.crPath || file.name || "file", size: file.size });
    }

    #become(state, more = {}) {
      Object.assign(this, { state }, more);
      this.told(this);
    }

    send() {
      const request = this.#request = new XMLHttpRequest();
      this.#become("sends", { sent: 0 });
      const fail = (error) => { if (this.state === "sends") this.#become("failed", { error }); };
      request.open("PUT", address("files", { c: this.c, path: this.name }));
      for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.onprogress = ({ loaded }) => { this.#become("sends", { sent: loaded }); };
      // A file that was changed or moved meanwhile fails as a connection does.
      request.onerror = () => fail("The upload broke off.");
      request.onload = () => {
        let said = {};
        try { said = JSON.parse(request.responseText); } catch { /* no answer of ours */ }
        if (request.status !== 200 || typeof said.path !== "string") {
          return fail(said.error ?? `The app answered ${request.status}.`);
        }
        this.#become("done", { path: said.path, size: said.size });
        changed(this.c);
      };
      request.onloadend = () => this.ended();
      request.send(this.file);
    }

    ended() {
      sending.delete(this);
      next();
    }

    retry() {
      this.#become("waits", { error: "", sent: 0 });
      waiting.push(this);
      next();
    }

    cancel() {
      const place = waiting.indexOf(this);
      if (place >= 0) waiting.splice(place, 1);
      this.#become("cancelled");
      this.#request?.abort();
    }
  }

  const waiting = [], sending = new Set();
  function next() {
    while (waiting.length && sending.size < AT_ONCE) {
      const upload = waiting.shift();
      sending.add(upload);
      upload.send();
    }
  }

  // What a reader does not see, as `coderunner.text.surrogates` has it, and what breaks a line.
  const UNSEEN = new RegExp("[\\x00-\\x1f\\x7f-\\x9f\\u{ad}\\u{34f}\\u{61c}\\u{115f}\\u{1160}\\u{17b4}\\u{17b5}\\u{180b}-\\u{180f}" +
    "\\u{200b}-\\u{200f}\\u{2028}-\\u{202e}\\u{2060}-\\u{206f}\\u{3164}\\u{d800}-\\u{dfff}\\u{fdd0}-\\u{fdef}\\u{fe00}-\\u{fe0e}\\u{feff}" +
    "\\u{ffa0}\\u{fff0}-\\u{fffb}\\u{fffe}\\u{ffff}\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}]", "gu");
  function picture(unseen) {
    const code = unseen.codePointAt(0), hex = code.toString(16);
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    if (code === 0x7f) return "\u2421";
    if (code < 0x100) return `\\x${hex.padStart(2, "0")}`;
    return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
  }

  const MOST_DROPPED = 500, DEEPEST = 16;

  // Adds the files of a folder and of those in it, the upper ones first; whether there are more than that.
  async function below(top, files) {
    const waiting = [[top, 1]];
    while (waiting.length) {
      const [folder, depth] = waiting.shift(), reader = folder.createReader();
      for (let batch; (batch = await asked(reader, "readEntries").catch(() => [])).length;) {
        for (const entry of batch) {
          if (entry.name.startsWith(".")) continue;
          if (entry.isDirectory) {
            if (depth < DEEPEST) waiting.push([entry, depth + 1]);
            continue;
          }
          if (files.length >= MOST_DROPPED) return true;
          const file = await asked(entry, "file").catch(() => null);
          // One that cannot be read is told as an upload that fails.
          files.push(Object.assign(file ?? new File([], entry.name), { crPath: entry.fullPath.replace(/^\//, "") }));
        }
      }
    }
    return false;
  }

  const asked = (entry, what) => new Promise((give, fail) => { entry[what](give, fail); });

  const UNITS = [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"]];

  window.coderunner.folder = {
    list: (c, match = "") => answered(fetch(address("files", match ? { c, match } : { c }), { headers: headers() })),
    rename: (c, old, name) => change(c, { rename: [old, name] }),
    remove: (c, paths) => change(c, { delete: paths }),
    file: (c, path) => address("file", { c, path }),
    missing: (c, path) => fetch(address("file", { c, path }), { method: "HEAD", headers: headers() })
      .then(({ status }) => status === 404, () => false),
    zip: (c) => address("files.zip", { c }),

    // Begins to send a file, or waits for its turn; `told` is called with the upload whenever it has changed.
    upload(c, file, told) {
      const upload = new Upload(c, file, told);
      waiting.push(upload);
      next();
      return upload;
    },

    // One that is there already.
    uploaded: (c, { path, size }, told) => Object.assign(new Upload(c, { name: path, size }, told), { path, state: "done" }),

    // What was dropped or pasted, and what lies in folders of that, by its path: at most `MOST_DROPPED` files;
    // `more` says that there are others. Hidden ones, and what lies too deep, are left out.
    async files(transfer) {
      // All of this is there only until the event is over.
      const items = [...transfer.items].filter((each) => each.kind === "file");
      const found = items.map((each) => ({ entry: each.webkitGetAsEntry?.(), file: each.getAsFile() }));
      const files = found.filter(({ entry, file }) => file && !entry?.isDirectory).map(({ file }) => file);
      const folders = found.map(({ entry }) => entry).filter((entry) => entry?.isDirectory);
      let more = false;
      for (const entry of folders) more = await below(entry, files) || more;
      return { files: files.slice(0, MOST_DROPPED), more: more || files.length > MOST_DROPPED };
    },

    // As it is said below a block, and to the model.
    size(bytes) {
      const [unit, name] = UNITS.find(([least]) => bytes >= least * 0.9995) ?? [];
      if (unit) return `${(bytes / unit).toFixed(1).replace(/\.0$/, "")} ${name}`;
      return bytes < 1000 ? `${bytes} ${bytes === 1 ? "byte" : "bytes"}` : `${Math.round(bytes / 1000)} kB`;
    },

    // A name as text that nothing in it can turn around or break, written as it is below a block.
    shown: (name) => name.replace(UNSEEN, picture),

    // A picture's address within this page, fetched once; rejects where it is not there (any more).
    picture(c, path) {
      const name = address("file", { c, path });
      if (!pictures.has(name)) {
        pictures.set(name, fetch(name, { headers: headers() }).then(async (answer) => {
          if (!answer.ok) throw new Error(answer.statusText);
          return URL.createObjectURL(await answer.blob());
        }));
        pictures.get(name).catch(() => pictures.delete(name));
      }
      return pictures.get(name);
    },
  };
  const pictures = new Map();
})();
