"""Passes all requests but chat replies through to the endpoint's API, unchanged.

Clients have a key of ours, and the request is sent with the endpoint's. So only routes of the API are passed,
below the configured address: servers have other routes, which delete models or create keys.
"""

import re
from collections.abc import Callable, Sequence
from urllib.parse import unquote

from starlette.requests import Request
from starlette.types import Scope, Send

from coderunner.errors import ModelError
from coderunner.hosts.proxy.client_api.response_stream import refuse
from coderunner.hosts.proxy.conversations import HEADERS
from coderunner.hosts.proxy.team.passed_usage import PassedUsage
from coderunner.models.endpoint.client import Client

API = "/v1/"
"""The path of the endpoint's API on the proxy, whatever its address there."""

DEEP = 4
"""How often a path may be percent-encoded: more than twice is no accident."""

Header = tuple[bytes, bytes]

HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers about one connection (RFC 9110, 7.6.1)."""

OURS = frozenset(
    {
        *("host", "authorization", "api-key", "x-api-key", "x-goog-api-key", "cookie", "origin", "referer"),
        *("content-length", "expect", "forwarded", "via", "x-real-ip"),
        *HEADERS,
    }
)
"""Request headers about us: the endpoint need not know the client or its chat."""
OURS_TOO = ("x-coderunner", "x-forwarded-", "x-openwebui-", "sec-")
"""Prefixes of others."""

THEIRS = frozenset(
    {
        *("server", "date", "set-cookie", "www-authenticate", "clear-site-data"),
        *("alt-svc", "strict-transport-security"),
    }
)
"""Response headers about the endpoint's server, which the client does not talk to."""
THEIRS_TOO = ("access-control-",)
"""Prefixes of others: the endpoint does not decide which pages may read our responses."""


async def relay(
    client: Client,
    request: Request,
    route: str,
    body: bytes,
    send: Send,
    *,
    meter: PassedUsage,
    failed: Callable[[ModelError], None],
) -> None:
    """Pass a request on to a `route` of the API, and its answer back as it comes.

    `meter` counts the tokens of the answer; `failed` is told of a failure of the endpoint.
    """
    # What counts has to be read, so it must not come compressed.
    unread = frozenset({"accept-encoding"}) if meter.counts else frozenset()
    headers = passed(request.headers.raw, OURS | unread, OURS_TOO)
    headers += [(b"content-length", str(len(body)).encode())] if body else []
    began = False
    try:
        async with client.pass_on(request.method, route, headers, body) as answer:
            kept = passed(answer.headers, THEIRS, THEIRS_TOO)
            began = True
            await send({"type": "http.response.start", "status": answer.status, "headers": kept})
            meter.begin(answer.status, answer.headers)
            async for piece in answer.pieces:
                meter.receive(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
    except ModelError as failure:
        failed(failure)
        if began:  # the only way left is to break off as well
            raise
        await refuse(failure, {})(request.scope, request.receive, send)


def route_of(scope: Scope) -> str | None:
    """The API route of a request, with its query; None if it is none of the API."""
    path, query = (bytes(scope[part]).decode("latin-1") for part in ("raw_path", "query_string"))
    # An empty segment would mean the server's root if URLs are joined.
    route = path.removeprefix(API).lstrip("/")
    if not path.startswith(API) or _climbs(route):
        return None
    return route + (f"?{query}" if query else "")


def passed(headers: Sequence[Header], apart: frozenset[str], beginnings: tuple[str, ...]) -> list[Header]:
    """The headers without those of one connection and those `apart`, by name or by their `beginnings`."""
    named = [(name.decode("latin-1").lower(), (name, value)) for name, value in headers]
    listed = b",".join(value for name, (_, value) in named if name == "connection").decode("latin-1").lower()
    stay = HOP | apart | {each.strip() for each in listed.split(",")}
    return [header for name, header in named if name not in stay and not name.startswith(beginnings)]


def _climbs(path: str) -> bool:
    """Whether a path has `.` or `..` segments, also after further decoding."""
    for _ in range(DEEP):
        steps = (step.partition(";")[0] for step in re.split(r"[/\\]", path))
        if any(step in (".", "..") for step in steps):
            return True
        plain = unquote(path, "latin-1")
        if plain == path:
            return False
        path = plain
    return True
