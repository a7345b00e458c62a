// What it may do: an output may give one of its elements the name `body`, by which `document` then knows that.
export const LEVEL = document.body.dataset.level;

// The frame's only door: one port to the page, from the moment in which it is handed over.

export const door = { port: null };

export const post = (message, transfer = []) => door.port?.postMessage(message, transfer);
