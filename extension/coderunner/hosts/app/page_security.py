"""What the app's page may load and where it may stand; and who may speak to the app: its own page."""

from collections.abc import Iterable

from coderunner.access.origins import App, OriginCheck
from coderunner.page.server.static_files import PUBLIC

# All that the page needs comes from the app itself, so nothing that a model or a program says can make the
# browser fetch from elsewhere: an image's address in Markdown would otherwise carry secrets out.
# The scripts of the page's framework are inline and build functions from strings.
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


def guarded(app: App, hosts: Iterable[str] = ()) -> OriginCheck:
    """The app behind its gate; `hosts` are names that it answers to beside the loopback ones."""
    return OriginCheck(app, hosts, headers=HEADERS, public=PUBLIC)
