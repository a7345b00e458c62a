// What is said for a moment covers nothing: it stands between the messages and the message box, which make room for it,
// or at the foot of a sidebar that fills a small screen.
(() => {
  const GAP = 8; // pixels around them

  function begin(toasts, main, chat) {
    const style = document.body.style;
    const put = (name, pixels) => style.setProperty(name, `${Math.round(pixels)}px`);
    function place() {
      const high = toasts.offsetHeight, room = high && high + GAP;
      const covered = innerWidth <= 768 && document.querySelector(".sidebar.open");
      const { left, right } = covered ? { left: 0, right: innerWidth } : main.getBoundingClientRect();
      put("--cr-toasts", room);
      // The chat has shrunk by as much by now, so its own end does not count.
      put("--cr-toasts-bottom", covered ? GAP : innerHeight - chat.getBoundingClientRect().bottom - (room && high));
      put("--cr-toasts-right", innerWidth - right + GAP * 2);
      put("--cr-toasts-wide", right - left - GAP * 4);
    }
    const sizes = new ResizeObserver(place);
    for (const each of [toasts, main, chat]) sizes.observe(each);
    for (const each of document.querySelectorAll(".sidebar")) each.addEventListener("transitionend", place);
  }

  const wait = new MutationObserver(() => {
    const parts = [".toast-wrap", "#cr-main", "#cr-chat"].map((each) => document.querySelector(each));
    if (parts.includes(null)) return;
    wait.disconnect();
    begin(...parts);
  });
  wait.observe(document.documentElement, { childList: true, subtree: true });
})();
