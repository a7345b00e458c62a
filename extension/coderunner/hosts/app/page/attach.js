// Files for the message that is being written: dropped on the chat, pasted or chosen. They are sent to the chat's folder
// at once, and belong to the message when that is sent.
(() => {
  const KEY = "coderunner-attached";
  const WAIT = "Wait until the files are uploaded, or remove them.";
  const AGAIN = "Not all files are uploaded: try again, or remove them.";
  const OPENING = "The chat is being opened; the files come then.";
  const MOST = 50, FULL = `A message takes ${MOST} files.`;
  const { folder } = window.coderunner;
  const own = new Map(); // conversation -> its uploads
  const lines = new WeakMap();
  const place = (name) => document.querySelector(`#cr-attach ${name}`);
  let left = ""; // what is said of files that a message does not take, until it is sent
  const early = []; // what came before the page knew its conversation, or while it goes to another one
  let leaves = "", gone = 0; // the conversation that it leaves
  const of = (c) => own.get(c) ?? [];
  const say = (words) => { if (place(".cr-attach-said")) place(".cr-attach-said").textContent = words; };

  // Those that are whole are still there when the page is loaded again.
  function keep() {
    const whole = [...own].map(([c, all]) => [c, all.filter((each) => each.state === "done").map(({ path, size }) => ({ path, size }))]);
    try { sessionStorage.setItem(KEY, JSON.stringify(whole.filter(([, all]) => all.length))); } catch { /* not stored, then */ }
  }

  function restore() {
    let whole = [];
    try { whole = JSON.parse(sessionStorage.getItem(KEY) ?? "[]"); } catch { /* storage is blocked */ }
    for (const [c, all] of whole) own.set(c, all.map((each) => folder.uploaded(c, each, changed)));
  }

  function changed(upload) {
    const { c, state } = upload;
    if (state === "cancelled") {
      own.set(c, of(c).filter((each) => each !== upload));
      // It came for this message alone.
      if (upload.path) folder.remove(c, [upload.path]).catch((error) => say(error.message));
    }
    if (state !== "sends") {
      keep();
      say(left);
      draw();
    } else if (lines.has(upload)) window.coderunner.chip(lines.get(upload), upload);
  }

  function draw() {
    const chips = place(".cr-chips");
    if (!chips) return;
    const now = of(window.coderunner.shown()).map((upload) => {
      if (!lines.has(upload)) lines.set(upload, document.createElement("li"));
      window.coderunner.chip(lines.get(upload), upload);
      return lines.get(upload);
    });
    const focused = chips.contains(document.activeElement);
    if (now.length !== chips.children.length || now.some((line, at) => chips.children[at] !== line)) chips.replaceChildren(...now);
    if (focused && !chips.contains(document.activeElement)) document.querySelector("#cr-box textarea")?.focus();
  }

  function add({ files, more = false }) {
    const c = window.coderunner.shown(), room = Math.max(0, MOST - of(c).length);
    if (!c || c === leaves) {
      early.push(...files);
      say(OPENING);
      return;
    }
    const uploads = files.slice(0, room).map((file) => folder.upload(c, file, changed));
    own.set(c, [...of(c), ...uploads]);
    left = (more || files.length > room ? `${FULL} The others were not uploaded: drop them on “Files”, or zip them.` : "");
    say(left);
    draw();
  }

  window.coderunner.attachments = {
    // Says something above the message box.
    say,

    // What belongs to the message that is sent now, for the app.
    list: () => JSON.stringify(of(window.coderunner.shown()).map(({ path }) => path)),

    // The app has taken a message with these: they are no longer for the next one.
    taken(said) {
      const { conversation: c, paths } = JSON.parse(said || "{}");
      if (!c) return;
      own.set(c, of(c).filter((each) => !paths.includes(each.path)));
      left = "";
      keep();
      draw();
    },
  };

  // No message goes without a file that is still on its way.
  function hold(event) {
    const states = of(window.coderunner.shown()).map((each) => each.state);
    const waits = early.length || states.some((each) => each !== "done");
    const words = states.includes("failed") ? AGAIN : waits ? WAIT : "";
    if (!words) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    say(words);
  }
  addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target.closest?.("#cr-box")) hold(event);
  }, true);
  addEventListener("click", (event) => { if (event.target.closest?.("#cr-box .submit-button")) hold(event); }, true);

  document.addEventListener("click", ({ target }) => {
    if (!(target instanceof Element)) return;
    if (target.closest("#cr-attach [data-cr=attach]")) place("input").click();
    const c = window.coderunner.shown(), row = target.closest("#cr-list [data-cr-chat] > a");
    if (!target.closest("#cr-new") && (!row || row.parentElement.dataset.crChat === c)) return;
    leaves = c;
    clearTimeout(gone);
    gone = setTimeout(arrive, 10000); // it did not go, then
  });
  document.addEventListener("change", ({ target }) => {
    if (!(target instanceof Element) || !target.matches("#cr-attach input")) return;
    add({ files: [...target.files] });
    target.value = "";
    document.querySelector("#cr-box textarea")?.focus();
  });

  // A file that is dropped beside the chat must not take the page's place.
  let leaving = 0;
  const carries = (event) => event.dataTransfer?.types.includes("Files");
  const onPanel = ({ target }) => target instanceof Element && target.closest("code-runner-files");
  const onChat = ({ target }) => target instanceof Element && target.closest("#cr-main");
  document.addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = onPanel(event) || onChat(event) ? "copy" : "none";
    document.body.classList.toggle("cr-dropping", Boolean(onChat(event)));
    clearTimeout(leaving);
    leaving = setTimeout(() => document.body.classList.remove("cr-dropping"), 500);
  });
  document.addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    document.body.classList.remove("cr-dropping");
    const panel = onPanel(event), chat = onChat(event);
    if (panel || chat) folder.files(event.dataTransfer).then((dropped) => (panel ? panel.take(dropped) : add(dropped)));
  });
  document.addEventListener("paste", (event) => {
    const { target, clipboardData } = event;
    // What can be pasted as text is: cells of a spreadsheet come with a picture of themselves.
    if (!clipboardData?.files.length || clipboardData.types.includes("text/plain")) return;
    if (!(target === document.body || target.closest?.("#cr-main")) || target.closest?.(".cr-edit")) return;
    event.preventDefault();
    folder.files(clipboardData).then(add);
  });

  function arrive() {
    leaves = "";
    if (early.length && window.coderunner.shown()) add({ files: early.splice(0) });
  }

  restore();
  document.addEventListener("coderunner-shown", () => {
    left = "";
    say("");
    draw();
    arrive();
  });
})();
