"""The sandboxed frames of active output. Pure.

The scripts of an output have no origin, no network and nothing to read. Sandbox and content security policy
are sent as headers, so they also apply if a frame is opened by itself. A frame could still navigate elsewhere
with data in the URL, so it is inside an outer frame whose policy allows only the one inner page.
"""

from collections.abc import Mapping
from typing import Literal, get_args

Level = Literal["scripts", "still"]
"""Whether an output may run scripts of its own in its frame."""

LEVELS: tuple[Level, ...] = get_args(Level)

_EVERY = {
    "Cache-Control": "no-cache",
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


def shell(level: Level, version: str) -> str:
    """The outer page: it opens the inner one and passes on one message."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Output</title>'
        "<style>html,body,iframe{margin:0;padding:0;border:0;width:100%;height:100%;display:block;overflow:hidden;background:none}"
        f'</style></head><body data-level="{level}">'
        f'<script src="../shell.js?{version}"></script></body></html>'
    )


def inner(level: Level, version: str) -> str:
    """The inner page: empty until the outer one passes it a port."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Output</title>'
        f'<link rel="stylesheet" href="../frame.css?{version}"></head>'
        f'<body data-level="{level}"><div id="root"></div>'
        f'<script src="../frame.js?{version}"></script></body></html>'
    )


def shell_headers(public: str, level: Level) -> Mapping[str, str]:
    """The headers of the outer page; `public` is the URL of our public files, ending in a slash."""
    own = (
        f"script-src {public}shell.js",
        "style-src 'unsafe-inline'",
        f"frame-src {public}{level}/frame.html",
    )
    return {**_EVERY, "Content-Security-Policy": "; ".join((*_CLOSED, *own))}


def inner_headers(public: str, level: Level) -> Mapping[str, str]:
    """The headers of the inner page. At any level it loads only our own public files."""
    scripts = "'unsafe-inline' 'unsafe-eval' blob: data: " if level == "scripts" else ""
    own = (
        f"script-src {scripts}{public}",
        f"style-src 'unsafe-inline' {public}",
        "img-src data: blob:",
        "media-src data: blob:",
        "font-src data:",
        "connect-src data: blob:",
        *(("worker-src blob:",) if level == "scripts" else ()),
    )
    return {**_EVERY, "Content-Security-Policy": "; ".join((*_CLOSED, *own))}
