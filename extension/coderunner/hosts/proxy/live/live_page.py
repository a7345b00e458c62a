"""The page of one block, and what a reader is told where there is none. Pure, but for our own assets."""

import hashlib
from base64 import b64encode
from html import escape

from coderunner.page.html import block_html
from coderunner.page.server import page_head

EXPIRED = "This page does not exist or has expired."

STYLE = (
    "html{color-scheme:light}html.dark{color-scheme:dark}"
    "body{margin:0;background:var(--cr-bg);color:var(--cr-ink);font:16px/1.5 system-ui,sans-serif}"
    "main{max-width:1040px;margin:0 auto;padding:24px 16px}p{margin:18vh 0 0;text-align:center}"
)
THEME = (
    "const dark=matchMedia('(prefers-color-scheme: dark)');"
    "const paint=()=>document.documentElement.classList.toggle('dark',dark.matches);"
    "dark.onchange=paint;paint();"
)
"""The page has the colours of the reader's system."""

_HASH = b64encode(hashlib.sha256(THEME.encode()).digest()).decode()
POLICY = "; ".join(
    (
        "default-src 'none'",
        f"script-src 'self' 'sha256-{_HASH}'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""As that of the app's page, without what only Gradio needs: inline scripts, and code from strings."""

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # The address is the permission.
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


def page(name: str, root: str) -> str:
    """The page of the block of that name; `root`: the path below which the proxy is reached."""
    unless = "<noscript>This page needs JavaScript.</noscript>"
    return _page(f"{block_html.placeholder(name)}{unless}", page_head.script(name, root=root))


def told(sentence: str) -> str:
    """A page that says what is the case."""
    return _page(f"<p>{escape(sentence, quote=False)}</p>")


def _page(body: str, head: str = "") -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Output · CodeRunner</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="robots" content="noindex"><link rel="icon" href="data:,">'
        f"<style>{page_head.style()}{STYLE}</style><script>{THEME}</script>{head}</head>"
        f"<body><main>{body}</main></body></html>"
    )
