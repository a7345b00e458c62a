// A clock starts at the time that the server says when its element appears, and runs here: the server need not
// send every second.

const began = new Map();

export function run(roots) {
  setInterval(() => {
    const seen = new Set();
    // The page has some of its own, beside those of the blocks.
    for (const root of [document, ...roots]) for (const clock of root.querySelectorAll("[data-cr-clock]")) tell(clock, seen);
    for (const name of began.keys()) if (!seen.has(name)) began.delete(name);
  }, 250);
}

function tell(clock, seen) {
  const { crClock: name, crElapsed: elapsed, crOf } = clock.dataset;
  seen.add(name);
  // Nobody knows whether it still runs, or since when it does not.
  if (clock.closest(".cr-away") && clock.textContent) return;
  if (!began.has(name)) began.set(name, performance.now() - 1000 * Number(elapsed));
  const seconds = Math.floor((performance.now() - began.get(name)) / 1000);
  const of = crOf ? ` of ${crOf}` : "";
  const text = seconds < 60 || of ? `${seconds} s${of}` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (clock.textContent !== text) clock.textContent = text;
}
