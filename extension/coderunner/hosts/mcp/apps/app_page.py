"""The page of the extension MCP Apps, and the programs that it asks for. Pure, but for our own assets.

Hosts give it a sandbox without an origin or a network. The frame of active output stands in it as a document
of its own, whose policy is also in it: from a host nothing has headers of ours.
"""

import json
from functools import cache

from coderunner.page.html import sandboxed_frames
from coderunner.page.html.sandboxed_frames import LEVELS, Parts
from coderunner.page.server import page_head, static_files

PAGE = "ui://coderunner/output.html"
PROGRAMS = "ui://coderunner/programs/"

SCRIPTS = ("text", "vega", "geo", "charts", "plotly", "widgets", "anywidget", "ipympl")
STYLES = ("text", "widgets", "ipympl", "formula")

POLICY = "; ".join(
    (
        "default-src 'none'",
        # Beyond inline ones for the frame's sake, whose document is held to this policy, too.
        "script-src 'unsafe-inline' 'unsafe-eval' blob: data:",
        "style-src 'unsafe-inline' blob: data:",
        "img-src data: blob:",
        "media-src data: blob:",
        "font-src data: blob:",
        "connect-src data: blob:",
        "worker-src blob: data:",
        # A document that stands in this one is none of these, and can be exchanged for no other.
        "frame-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
"""Hosts add their own, of which none allows more."""

STYLE = (
    "html{color-scheme:light}html.dark{color-scheme:dark}"
    "body{margin:0;background:var(--cr-bg);color:var(--cr-ink);font:16px/1.5 system-ui,sans-serif}"
    "main{padding:1px 0;overflow:hidden}main pre{margin:8px 0;white-space:pre-wrap;overflow-wrap:anywhere}"
    "main img{max-width:100%}"
)
THEME = (
    "document.documentElement.classList.toggle('dark',matchMedia('(prefers-color-scheme: dark)').matches);"
)
"""Until the host says which theme it has."""


@cache
def page() -> str:
    """The page, complete."""
    frames = json.dumps({level: _frame(level) for level in LEVELS}).replace("<", "\\u003c")
    app = static_files.content("app.js").decode()
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>Output</title>{sandboxed_frames.QUIET}"
        f"<style>{page_head.style()}{STYLE}</style></head><body><main></main><script>{THEME}</script>"
        f'<script type="application/json" id="frames">{frames}</script>'
        f'<script type="module">{app}</script></body></html>'
    )


@cache
def programs() -> dict[str, str]:
    """What the page asks for, by its address."""
    names = [*(f"{each}.js" for each in SCRIPTS), *(f"{each}.css" for each in STYLES)]
    return {f"{PROGRAMS}{name}": static_files.content(name).decode() for name in names}


def kind(address: str) -> str:
    """The type of one of them."""
    return static_files.KINDS[address[address.rindex(".") :]].partition(";")[0]


def _frame(level: sandboxed_frames.Level) -> str:
    frame, sheet = (static_files.content(name).decode().strip() for name in ("frame.js", "frame.css"))
    scripts = [text for address, text in programs().items() if address.endswith(".js")]
    return sandboxed_frames.standing_in(level, Parts("", frame, sheet, ""), scripts)
