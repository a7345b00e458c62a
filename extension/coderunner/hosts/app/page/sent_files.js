// The files of messages that are not in the chat's folder: they were deleted, or its code runs at another place by now.
(() => {
  const SOON = 300, LATER = 2000; // ms: messages are drawn a moment after their chat is said, and again as it is answered
  const WORDS = "not in this chat’s folder";
  const HINT = "It was deleted or renamed, or the chat’s code ran at another place when it was attached.";
  const links = () => [...document.querySelectorAll("#cr-chat .cr-sent-files a[data-cr-file]")];
  const path = (link) => new URL(link.href).searchParams.get("path");
  let timers = [];

  function mark(link, gone) {
    const said = link.querySelector(".cr-gone");
    if (!gone) said?.remove();
    else if (!said) link.append(Object.assign(document.createElement("small"), { className: "cr-gone", textContent: WORDS, title: HINT }));
  }

  async function look() {
    const c = window.coderunner.shown();
    if (!c || !links().length) return;
    const { folder } = window.coderunner;
    // Where the list cannot be had, nothing is known of them.
    const listed = await folder.list(c).then(({ files }) => new Set(files.map((file) => file.path)), () => null);
    if (!listed) return;
    // It lacks hidden files, and has the latest alone of very many: those that it lacks are asked for one by one.
    const gone = new Map();
    for (const each of new Set(links().map(path))) gone.set(each, !listed.has(each) && await folder.missing(c, each));
    if (c === window.coderunner.shown()) for (const link of links()) mark(link, gone.get(path(link)) ?? false);
  }

  function soon() {
    timers.forEach(clearTimeout);
    timers = [SOON, LATER].map((pause) => setTimeout(look, pause));
  }
  for (const name of ["shown", "ended", "files", "kernel"]) document.addEventListener(`coderunner-${name}`, soon);
  window.addEventListener("focus", soon);
})();
