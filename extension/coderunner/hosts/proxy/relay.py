"""Whatever is no reply to a person: passed on to the endpoint and back, as it is."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.types import Scope, Send

from coderunner.errors import ModelError
from coderunner.hosts.proxy.delivery import refuse
from coderunner.models.endpoint import Client

API = "/v1/"
"""Where the endpoint's API stands here, whatever its address there."""

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

OURS = frozenset({"host", "authorization", "cookie", "origin", "referer", "content-length"})
"""Headers of a request that are about us: who asks us is none of the endpoint's business."""


async def relay(client: Client, request: Request, body: bytes, send: Send) -> None:
    """Pass a request on, and its answer back as it comes."""
    headers = _passed(request.headers) | ({"content-length": str(len(body))} if body else {})
    began = False
    try:
        async with client.pass_on(request.method, _target(request.scope), headers, body) as answer:
            kept = [pair for pair in answer.headers if pair[0].decode("latin-1").lower() not in HOP]
            began = True
            await send({"type": "http.response.start", "status": answer.status, "headers": kept})
            async for piece in answer.pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
    except ModelError as failure:
        if began:  # all that can be done is to break off as well
            raise
        await refuse(failure, {})(request.scope, request.receive, send)


def _target(scope: Scope) -> str:
    path, query = (bytes(scope[part]).decode("latin-1") for part in ("raw_path", "query_string"))
    return path.removeprefix(API) + (f"?{query}" if query else "")


def _passed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if not _stays(name.lower())}


def _stays(name: str) -> bool:
    return name in HOP or name in OURS or name.startswith(("x-coderunner", "sec-fetch-", "x-forwarded-"))
