"""The sandboxed frames of active output. Pure.

The scripts of an output have no origin, no network and nothing to read. Sandbox and content security policy
are sent as headers, so they also apply if a frame is opened by itself. A frame could still navigate elsewhere
with data in the URL, so it is inside an outer frame whose policy allows only the one inner page.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Level = Literal["scripts", "still"]
"""Whether an output may run scripts of its own in its frame."""

LEVELS: tuple[Level, ...] = get_args(Level)

_EVERY = {
    # A page's address says which build it is of. Not for caches that people share: the policy names an
    # address that a request may have told.
    "Cache-Control": "private, max-age=31536000, immutable",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Permissions-Policy": ", ".join(
        f"{each}=()"
        for each in (
            "accelerometer",
            "autoplay",
            "camera",
            "clipboard-read",
            "clipboard-write",
            "display-capture",
            "fullscreen",
            "geolocation",
            "gyroscope",
            "hid",
            "microphone",
            "midi",
            "payment",
            "serial",
            "storage-access",
            "usb",
        )
    ),
}

_CLOSED = ("sandbox allow-scripts", "default-src 'none'", "base-uri 'none'", "form-action 'none'")


@dataclass(frozen=True, slots=True)
class Program:
    """What a frame loads before it is told what to show."""

    style: bool = False
    """It has a style sheet of the same name."""


PROGRAMS: Mapping[str, Program] = {
    "": Program(),
    "text": Program(style=True),
    "widgets": Program(style=True),
    "vega": Program(),
    "charts": Program(),
    "plotly": Program(),
}
"""The programs that a frame may begin with, as `frame_widgets.html`; a plain one has none."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the pages are made of: scripts and a style sheet, which stand in them, and their build.

    In them, because each file that is loaded by itself takes its time before anything is shown.
    """

    shell: str
    frame: str
    sheet: str
    version: str


def shell(level: Level, program: str, parts: Parts) -> str:
    """The outer page: it holds the inner one and passes on one message."""
    frame = f"{_page('frame', program)}?{parts.version}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Output</title>'
        "<style>html,body,iframe{margin:0;padding:0;border:0;width:100%;height:100%;display:block;overflow:hidden;background:none}"
        f'</style></head><body><iframe src="{frame}" sandbox="allow-scripts" '
        f'referrerpolicy="no-referrer" title="Output"></iframe><script>{parts.shell}</script></body></html>'
    )


def inner(level: Level, program: str, parts: Parts) -> str:
    """The inner page: empty until the outer one passes it a port."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Output</title>'
        f"{_early(program, parts.version)}<style>{parts.sheet}</style></head>"
        f'<body data-level="{level}"><div id="root"></div><script>{parts.frame}</script></body></html>'
    )


QUIET = '<meta name="referrer" content="no-referrer"><meta http-equiv="x-dns-prefetch-control" content="off">'
"""What headers say elsewhere."""


def standing_in(level: Level, parts: Parts, programs: Sequence[str]) -> str:
    """The inner page as a document that stands in the page around it (`srcdoc`), which hands it programs.

    Its policy stands in it and holds besides that of the page around, which has to keep the frame from going
    elsewhere: `frame-src 'none'`. Its sandbox is its element's.
    """
    scripts = _SCRIPTS if level == "scripts" else " ".join(_digest(each) for each in (parts.frame, *programs))
    policy = "; ".join((*_CLOSED[1:], *_inside(level, scripts, "")))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><title>Output</title>{QUIET}'
        f'<style>{parts.sheet}</style></head><body data-level="{level}"><div id="root"></div>'
        f"<script>{parts.frame}</script></body></html>"
    )


def _early(program: str, version: str) -> str:
    """What has a program loaded while the page is read."""
    if not program:
        return ""
    script = f'<script async src="../{program}.js?{version}" data-program="{program}"></script>'
    style = f'<link rel="preload" as="style" href="../{program}.css?{version}">'
    return f"{script}{style if PROGRAMS[program].style else ''}"


def _page(name: str, program: str) -> str:
    return f"{name}_{program}.html" if program else f"{name}.html"


def shell_headers(public: str, level: Level, program: str, parts: Parts) -> Mapping[str, str]:
    """The headers of the outer page; `public` is the URL of our public files, ending in a slash."""
    own = (
        f"script-src {_digest(parts.shell)}",
        "style-src 'unsafe-inline'",
        f"frame-src {public}{level}/{_page('frame', program)}",
    )
    return {**_EVERY, "Content-Security-Policy": "; ".join((*_CLOSED, *own))}


def inner_headers(public: str, level: Level, program: str, parts: Parts) -> Mapping[str, str]:
    """The headers of the inner page. At any level it loads only our own public files."""
    # Beside a digest, a policy's 'unsafe-inline' does not count.
    scripts = _SCRIPTS if level == "scripts" else _digest(parts.frame)
    own = _inside(level, f"{scripts} {public}", f" {public}")
    return {**_EVERY, "Content-Security-Policy": "; ".join((*_CLOSED, *own))}


_SCRIPTS = "'unsafe-inline' 'unsafe-eval' blob: data:"
"""Those of outputs."""


def _inside(level: Level, scripts: str, styles: str) -> tuple[str, ...]:
    return (
        f"script-src {scripts}",
        f"style-src 'unsafe-inline' blob: data:{styles}",
        "img-src data: blob:",
        "media-src data: blob:",
        "font-src data: blob:",
        "connect-src data: blob:",
        # A document made here is held to this policy and this sandbox, and so are its own frames and workers.
        *(("worker-src blob: data:", "frame-src blob:") if level == "scripts" else ()),
    )


def made() -> str:
    """All pages and policies but for what is built: it changes whenever one of them does."""
    nothing = Parts("", "", "", "")
    pages = ((shell, shell_headers), (inner, inner_headers))
    return repr(
        [
            (text(level, program, nothing), headers("", level, program, nothing))
            for text, headers in pages
            for level in LEVELS
            for program in PROGRAMS
        ]
    )


def _digest(script: str) -> str:
    """A script as a policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
