// What each directive of a frame's policy keeps out, in our words.

export const KINDS = {
  "frame-src": "page", "child-src": "page", "object-src": "page", "img-src": "picture", "media-src": "media",
  "script-src": "program", "script-src-elem": "program", "worker-src": "program", "connect-src": "data",
  "style-src": "look", "style-src-elem": "look", "font-src": "look",
};

// Is missed only where nothing else is seen.
export const SOFT = new Set(["look"]);

// Those that count who looks, or are told of errors: what they are not told is missed by nobody who looks.
const COUNTERS = /(?:^|\.)(?:plausible\.io|google-analytics\.com|googletagmanager\.com|doubleclick\.net|clarity\.ms|hotjar\.(?:com|io)|mixpanel\.com|amplitude\.com|posthog\.com|segment\.(?:com|io)|sentry\.io|sentry-cdn\.com|cloudflareinsights\.com|matomo\.cloud|umami\.is|usefathom\.com|heapanalytics\.com|fullstory\.com|nr-data\.net|scarf\.sh)$/;
export const counts = (url) => URL.canParse(url) && COUNTERS.test(new URL(url).hostname);
