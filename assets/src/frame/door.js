// The frame's only door: one port to the page, from the moment in which it is handed over.

export const door = { port: null };

export const post = (message, transfer = []) => door.port?.postMessage(message, transfer);
