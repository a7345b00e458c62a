"""Who may speak to the app: its own page, under its own name. Everybody else gets 403.

A web page in the same browser can send requests to loopback addresses, and a name that its owner points to
127.0.0.1 makes them look same-origin (DNS rebinding). So each request, WebSockets included, must name a host
that is ours, and where the browser says which page sent it, that page must be ours as well.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

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
        "frame-src 'none'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

_HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Guard:
    """An ASGI app around another: lets through what comes from our own page."""

    def __init__(self, app: App, hosts: Iterable[str] = ()) -> None:
        """`hosts` are names that the app answers to beside the loopback ones, without a port."""
        self._app = app
        self._hosts = LOOPBACK | {host.casefold() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif reason := refusal(scope, self._hosts):
            await _refuse(scope, send, reason)
        else:
            await self._app(scope, receive, _with_headers(send))


def refusal(scope: Scope, hosts: frozenset[str]) -> str:
    """Why the request is not let in, as a sentence; empty where it is."""
    host = _only(scope, b"host")
    if host is None or _name(host) not in hosts:
        return "This app answers under its own address only; the Host of this request is another one."
    origins = _all(scope, b"origin")
    if origins and (len(origins) > 1 or _place(origins[0]) != host.casefold()):
        return "This app takes requests from its own page only; the Origin of this request is another one."
    site = _all(scope, b"sec-fetch-site")
    if not origins and site and site[0] not in ("same-origin", "none") and not _navigates(scope):
        return "This app takes requests from its own page only; another site sent this one."
    return ""


def _navigates(scope: Scope) -> bool:
    """A person followed a link to the page: the browser shows it on its own, not within the other site."""
    mode, destination = _all(scope, b"sec-fetch-mode"), _all(scope, b"sec-fetch-dest")
    return scope.get("method") == "GET" and mode == ["navigate"] and destination == ["document"]


def _all(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def _only(scope: Scope, name: bytes) -> str | None:
    values = _all(scope, name)
    return values[0] if len(values) == 1 else None


def _name(host: str) -> str:
    """The name in a Host header; empty where it is malformed. Any port: a tunnel may have another."""
    try:
        parts = urlsplit(f"//{host}")
        parts.port  # noqa: B018 - raises where the port is none
    except ValueError:
        return ""
    plain = parts.netloc == host and not (parts.username or parts.path)
    return (parts.hostname or "").casefold() if plain else ""


def _place(origin: str) -> str:
    """Host and port of an origin; empty where it is opaque (`null`) or not of the web."""
    scheme, separator, place = origin.partition("://")
    return place.casefold() if separator and scheme in ("http", "https") else ""


async def _refuse(scope: Scope, send: Send, reason: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": reason})
        return
    body = reason.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        *_HEADERS,
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_HEADERS]
        await send(message)

    return sending
