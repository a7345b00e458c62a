// A file on its way, or attached to the message that is being written: its name, how far it is, and what one can do.
(() => {
  const make = (tag, names) => Object.assign(document.createElement(tag), names);

  function build(line) {
    const at = line.crParts = {
      name: make("bdi", {}),
      facts: make("small", {}),
      bar: make("progress", { max: 1 }),
      retry: make("button", { type: "button", className: "cr-retry", textContent: "Retry" }),
      away: make("button", { type: "button", className: "cr-away", textContent: "×" }),
    };
    at.retry.addEventListener("click", () => line.crUpload.retry());
    at.away.addEventListener("click", () => line.crUpload.cancel());
    line.append(...Object.values(at));
    return at;
  }

  // Draws the upload into its line; again whenever it has changed.
  window.coderunner.chip = (line, upload) => {
    const { folder } = window.coderunner, at = line.crParts ?? build(line);
    const { state, size, sent, error } = line.crUpload = upload;
    const name = folder.shown(upload.path || upload.name), done = state === "done", moving = state === "sends" || state === "waits";
    line.className = `cr-chip cr-${state}`;
    at.name.textContent = at.name.title = name;
    at.facts.textContent = state === "failed" ? error
      : state === "waits" ? "waiting" : done ? folder.size(size) : `${folder.size(sent)} of ${folder.size(size)}`;
    at.bar.hidden = !moving;
    at.bar.value = size ? sent / size : 0;
    at.bar.setAttribute("aria-label", `Upload of ${name}`);
    at.retry.hidden = state !== "failed";
    at.retry.ariaLabel = `Upload ${name} again`;
    at.away.title = at.away.ariaLabel = moving ? `Cancel the upload of ${name}` : `Remove ${name}`;
  };
})();
