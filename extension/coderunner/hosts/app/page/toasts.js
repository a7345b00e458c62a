// What is said for a moment moves nothing and covers nothing that somebody needs: it lies below the last message, where
// nothing is; where a reply is being written or fills the chat, over what was said first there, where clicks go through it;
// and at the foot of a sidebar that fills a small screen, which makes room for it.
(() => {
  const GAP = 8; // pixels around them

  function begin(toasts, main, chat) {
    const style = document.body.style;
    const put = (name, pixels) => style.setProperty(name, `${Math.round(pixels)}px`);
    function place() {
      const high = toasts.offsetHeight, room = high && high + GAP;
      const covered = innerWidth <= 768 && document.querySelector(".sidebar.open");
      const { left, right } = covered ? { left: 0, right: innerWidth } : main.getBoundingClientRect();
      const { top, bottom } = chat.getBoundingClientRect();
      const last = chat.querySelector(".message-wrap")?.getBoundingClientRect().bottom ?? top;
      const over = !covered && (bottom - last < room + GAP || document.querySelector("#cr-box .stop-button") !== null);
      toasts.classList.toggle("cr-over", over);
      put("--cr-toasts", covered ? room : 0);
      put("--cr-toasts-top", top + GAP);
      put("--cr-toasts-bottom", covered ? GAP : innerHeight - bottom + GAP);
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
