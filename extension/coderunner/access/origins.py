"""Checks of `Host` and `Origin`: a request must come to our own address from our own page, or it gets 403.

A web page in the same browser can send requests to loopback addresses, and a domain that resolves to
127.0.0.1 makes them look same-origin (DNS rebinding). So each request, WebSockets included, must name one of
our hosts, and if the browser says which page sent it, that page must be ours too.
"""

from collections.abc import Awaitable, Callable, Container, Iterable, MutableMapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
ANY = "*"
"""In place of names: accepts every Host. Only for a server that requires a key."""


class OriginCheck:
    """ASGI middleware: lets requests through that come from our own page, or from no page at all."""

    def __init__(
        self,
        app: App,
        hosts: Iterable[str] = (),
        *,
        headers: Sequence[Header] = (),
        public: str = "",
        origins: Iterable[str] = (),
    ) -> None:
        """`hosts` are the names that the app answers to besides the loopback ones, without a port.

        `origins` are allowed besides that of its own page; only for an app that requires a key. `headers` are
        added to each response except those below the path `public`, which any page may load and which have
        headers of their own.
        """
        self._app = app
        self._hosts = LOOPBACK | {host.casefold() for host in hosts}
        self._headers = headers
        self._public = public
        self._origins = frozenset(each.casefold() for each in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket") or self._is_public(scope):
            await self._app(scope, receive, send)
        elif reason := refusal(scope, self._hosts, self._origins):
            await _refuse(scope, send, reason, self._headers)
        else:
            await self._app(scope, receive, _with_headers(send, self._headers))

    def _is_public(self, scope: Scope) -> bool:
        below = self._public != "" and own_path(scope).startswith(self._public)
        return below and not foreign(scope, self._hosts)


def refusal(scope: Scope, hosts: Container[str], allowed: Container[str] = ()) -> str:
    """Why the request is refused, as a sentence; empty if it is not.

    `allowed` are origins besides that of the request's own host, in lower case.
    """
    if reason := foreign(scope, hosts):
        return reason
    origins = _all(scope, b"origin")
    if len(origins) == 1 and origins[0].casefold() in allowed:
        return ""
    if origins and (len(origins) > 1 or _host_and_port(origins[0]) != host_of(scope).casefold()):
        return "CodeRunner accepts requests only from its own page, but this request has another Origin."
    site = _all(scope, b"sec-fetch-site")
    if not origins and site and site[0] not in ("same-origin", "none") and not _navigates(scope):
        return "CodeRunner accepts requests only from its own page, but another site sent this one."
    return ""


def foreign(scope: Scope, hosts: Container[str]) -> str:
    """Why the request's Host is refused, as a sentence; empty if it is one of `hosts`."""
    host = host_of(scope)
    if not host or (ANY not in hosts and _name(host) not in hosts):
        return "CodeRunner answers only at its own address, but this request names another Host."
    return ""


def host_of(scope: Scope) -> str:
    """The Host of a request; empty if it has none or several."""
    hosts = _all(scope, b"host")
    return hosts[0] if len(hosts) == 1 else ""


def root_of(scope: Scope) -> str:
    """The path below which the app is served, as a browser writes it in an address; no slash at its end.

    It may stand in the path of a cookie and in a content security policy.
    """
    return quote(str(scope.get("root_path", "")).rstrip("/"), safe="/~@!$&()*+=:")


def own_path(scope: Scope) -> str:
    """The path of a request within the app: without the one below which the app is served."""
    path, root = str(scope["path"]), str(scope.get("root_path", "")).rstrip("/")
    return path.removeprefix(root) if path == root or path.startswith(f"{root}/") else path


def comes_from_elsewhere(scope: Scope) -> bool:
    """Whether a page of another site has opened this address in a tab."""
    return _all(scope, b"sec-fetch-site") == ["cross-site"] and _navigates(scope)


def _navigates(scope: Scope) -> bool:
    """Whether a person followed a link to the page: it opens in a tab, not inside the other site."""
    mode, destination = _all(scope, b"sec-fetch-mode"), _all(scope, b"sec-fetch-dest")
    return scope.get("method") == "GET" and mode == ["navigate"] and destination == ["document"]


def _all(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def _name(host: str) -> str:
    """The name in a Host header; empty if malformed. Any port is accepted: a tunnel may use another."""
    try:
        parts = urlsplit(f"//{host}")
        parts.port  # noqa: B018 - raises if the port is invalid
    except ValueError:
        return ""
    plain = parts.netloc == host and not (parts.username or parts.path)
    return (parts.hostname or "").casefold() if plain else ""


def _host_and_port(origin: str) -> str:
    """Host and port of an origin; empty if it is opaque (`null`) or not http(s)."""
    scheme, separator, place = origin.partition("://")
    return place.casefold() if separator and scheme in ("http", "https") else ""


async def _refuse(scope: Scope, send: Send, reason: str, more: Sequence[Header]) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": reason})
        return
    await plain_answer(send, 403, reason, more)


async def plain_answer(send: Send, status: int, text: str, more: Sequence[Header] = ()) -> None:
    """Answer a request over HTTP with a sentence."""
    body = text.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send, more: Sequence[Header]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *more]
        await send(message)

    return sending
