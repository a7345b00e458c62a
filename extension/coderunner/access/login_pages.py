"""What a browser without our cookie is shown."""

from html import escape

REFUSAL = (
    "Open the link that the terminal printed when CodeRunner started. "
    "If it was already used, press Enter in that terminal for another one, or restart CodeRunner."
)
USED = (
    "This link was already used, or CodeRunner was restarted after it was printed. "
    "Press Enter in the terminal where CodeRunner runs, or restart it, and open the link that is printed."
)
STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto 0;padding:0 1.25rem}"
    "h1{font-size:1.35rem;margin:0 0 .5rem}p{margin:0;opacity:.85}"
)


def refusal(sentence: str) -> str:
    """A page that says what to do."""
    return _page(body=f"<h1>CodeRunner needs a link from its terminal</h1><p>{escape(sentence)}</p>")


def onward(place: str) -> str:
    """A page that goes to `place` at once; if that is empty, to where it is."""
    target = escape(f"0; url={place}") if place else "0"
    return _page(head=f'<meta http-equiv="refresh" content="{target}">')


def _page(*, head: str = "", body: str = "") -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>CodeRunner</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<link rel="icon" href="data:,">{head}<style>{STYLE}</style></head><body>{body}</body></html>'
    )
