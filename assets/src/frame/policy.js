// What each directive of a frame's policy keeps out, in our words.

export const KINDS = {
  "frame-src": "page", "child-src": "page", "object-src": "page", "img-src": "picture", "media-src": "media",
  "script-src": "program", "script-src-elem": "program", "worker-src": "program", "connect-src": "data",
  "style-src": "look", "style-src-elem": "look", "font-src": "look",
};

// Is missed only where nothing else is seen.
export const SOFT = new Set(["look"]);
