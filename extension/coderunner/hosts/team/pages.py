"""What a person sees who does not get to an app at once, or at all. Pure."""

from html import escape

STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto 0;padding:0 1.25rem}"
    "h1{font-size:1.35rem;margin:0 0 .5rem}p{margin:0;opacity:.85;overflow-wrap:anywhere}"
)
STARTING = "Your CodeRunner is starting"
WAIT = "This takes a few seconds. The page opens by itself."
FAILED = "Your CodeRunner does not start"
ASK = (
    "Reload the page to try again. If it fails again, ask whoever runs CodeRunner; the reason is in its log."
)
ENDED = "CodeRunner ended unexpectedly while it was asked for this. Reload the page to start it again."
REFUSED = "CodeRunner does not let you in"
FULL = "CodeRunner has no room at the moment"
EACH = 1
"""Seconds between two looks of the page that waits."""


def starting(name: str) -> str:
    """The page that waits for the app of a person and then becomes it."""
    return _page(STARTING, f"Signed in as {name}. {WAIT}", f'<meta http-equiv="refresh" content="{EACH}">')


def told(title: str, sentence: str) -> str:
    """A page that says what is the case."""
    return _page(title, sentence)


def _page(title: str, sentence: str, head: str = "") -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>CodeRunner</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<link rel="icon" href="data:,">{head}<style>{STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1><p>{escape(sentence)}</p></body></html>"
    )
