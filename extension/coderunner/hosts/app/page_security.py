"""Security headers of the app's page, the check that requests come from it, and its login."""

from collections.abc import Iterable

from coderunner.access.base_path import BasePath
from coderunner.access.login import Login
from coderunner.access.login_cookies import LoginCookies
from coderunner.access.login_links import LoginLinks
from coderunner.access.origins import App, OriginCheck
from coderunner.page.server.static_files import PUBLIC

# The page loads everything from the app itself, so no output of a model or a program makes the browser
# request other sites: otherwise the URL of an image in Markdown could leak secrets. Gradio's scripts are
# inline and build functions from strings.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "frame-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


MANIFEST = "/manifest.json"
"""Gradio's page names it, and browsers ask for it without the cookie of the page."""


def guarded(
    app: App,
    hosts: Iterable[str] = (),
    *,
    login: tuple[LoginLinks, LoginCookies] | None = None,
    base_path: str = "",
) -> OriginCheck | BasePath:
    """The app with its checks and headers; `hosts` are names it answers to besides the loopback ones.

    Without a `login` everybody whose requests come from its own page gets in.
    """
    inside = app if login is None else Login(app, *login, public=PUBLIC, open_paths=(MANIFEST,))
    checked = OriginCheck(inside, hosts, headers=HEADERS, public=PUBLIC)
    return BasePath(checked, base_path) if base_path else checked
