// What stands in the message box outlives a reload of the page.
(() => {
  const KEPT = "coderunner-draft";
  const LOOKS = [0, 300, 1500, 6000]; // ms after the page shows a chat: it may draw the box once more as it was before
  const box = () => document.querySelector("#cr-box textarea");
  let come = false; // the page shows a chat
  let touched = false; // a person has done something in the box since
  let text = ""; // what is to stand there until then
  let after = ""; // the number of the last message of theirs when that was kept

  const last = () => [...document.querySelectorAll("#cr-chat .cr-own")].at(-1)?.dataset ?? {};
  // A message that was on its way when the page was left is in the chat by now.
  const arrived = () => last().crText === text && last().crMessage !== after;

  function keep() {
    if (!come) return; // what is kept is not in the box yet
    try {
      const untouched = !touched && !arrived(), now = box()?.value || (untouched ? text : "");
      const kept = untouched && now === text ? after : last().crMessage ?? "";
      if (now.trim()) sessionStorage.setItem(KEPT, JSON.stringify([now, kept]));
      else sessionStorage.removeItem(KEPT);
    } catch { /* no room, or no storage */ }
  }
  window.addEventListener("pagehide", keep);
  // A browser may end a page that is not seen without a word.
  document.addEventListener("visibilitychange", () => { if (document.hidden) keep(); });

  function look() {
    if (touched || !box()) return;
    if (arrived()) {
      if (box().value === text) window.coderunner.tell("cr-box", "");
    } else if (!box().value) window.coderunner.tell("cr-box", text);
  }

  document.addEventListener("coderunner-shown", ({ detail }) => {
    if (!detail || come) return;
    come = true;
    try { [text, after] = JSON.parse(sessionStorage.getItem(KEPT)) ?? ["", ""]; } catch { /* no storage */ }
    if (text) for (const pause of LOOKS) setTimeout(look, pause);
  });
  const touch = ({ target, isTrusted }) => {
    if (isTrusted && target instanceof Element && target.closest("#cr-box, #cr-new, #cr-list, #cr-chat")) touched = come;
  };
  for (const event of ["keydown", "input", "paste", "drop", "click"]) document.addEventListener(event, touch, true);
})();
