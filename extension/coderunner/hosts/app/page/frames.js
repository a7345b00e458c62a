// Gradio counts the time that a component is waited for in each frame, and goes on when that component is gone: the page
// would be drawn sixty times a second for as long as it is open. So what asks for the next frame in each one, for longer
// than any movement of this page lasts, gets one a second.
(() => {
  const LONGEST = 300, PAUSE = 1000; // frames, milliseconds
  const next = window.requestAnimationFrame.bind(window), cancel = window.cancelAnimationFrame.bind(window);
  const waiting = new Map();
  let before = 0, last = 0;

  window.requestAnimationFrame = (callback) => {
    const frames = before + 1;
    const call = (now) => {
      before = frames;
      try { callback(now); } finally { before = 0; }
    };
    if (frames <= LONGEST) return next(call);
    const id = --last;
    waiting.set(id, setTimeout(() => next((now) => { if (waiting.delete(id)) call(now); }), PAUSE));
    return id;
  };

  window.cancelAnimationFrame = (id) => {
    clearTimeout(waiting.get(id));
    waiting.delete(id);
    cancel(id);
  };
})();
