"""The way in with tokens of an issuer: the server as an OAuth 2.1 resource server (RFC 9728, RFC 6750)."""

import json
from collections.abc import Collection
from urllib.parse import urlsplit

from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend, RequireAuthMiddleware
from mcp.server.auth.routes import build_resource_metadata_url, create_protected_resource_routes
from mcp.server.auth.settings import AuthSettings
from pydantic import AnyHttpUrl
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Router

from coderunner.access.origins import App, Message, Receive, Scope, Send
from coderunner.hosts.mcp.scopes.issuer_tokens import IssuerTokens
from coderunner.hosts.mcp.scopes.scopes import ALL, SCOPES, lacking, listed, of_body

TOO_LARGE = "This request is larger than any that the server takes.\n"


class TokenGate:
    """ASGI middleware: lets in requests with a valid token that allows what they ask for.

    The metadata that name the issuer are for everybody.
    """

    def __init__(self, app: App, issuer: str, resource: str, *, attached: bool, largest: int) -> None:
        """`resource`: the address of `app`; `attached`: kernels are a person's own; `largest`: bytes."""
        told = AuthSettings.model_validate(
            {"issuer_url": issuer, "resource_server_url": resource, "validate_token_resource": True}
        )
        address = told.resource_server_url or AnyHttpUrl(resource)
        metadata = build_resource_metadata_url(address)
        self._app = app
        self._path = urlsplit(str(metadata)).path
        routes = create_protected_resource_routes(
            address, [told.issuer_url], scopes_supported=[*SCOPES], resource_name="CodeRunner"
        )
        self._metadata = Router(routes)
        allowed = _Allowed(app, str(metadata), attached=attached, largest=largest)
        self._guarded = AuthenticationMiddleware(
            RequireAuthMiddleware(allowed, [], metadata),
            backend=BearerAuthBackend(IssuerTokens(issuer, resource), resource_server_url=address),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] != "http":
            await PlainTextResponse("", 404)(scope, receive, send)
        elif scope["path"] == self._path:
            await self._metadata(scope, receive, send)
        else:
            await self._guarded(scope, receive, send)


class _Allowed:
    """Refuses what a token does not allow with the scopes that would (RFC 6750, 3.1)."""

    def __init__(self, app: App, metadata: str, *, attached: bool, largest: int) -> None:
        self._app, self._metadata = app, metadata
        self._attached, self._largest = attached, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has = frozenset(scope["user"].scopes)
        if has >= ALL:
            await self._app(scope, receive, send)
            return
        if not has:
            await self._refuse(SCOPES, "anything", has)(scope, receive, send)
            return
        body = await self._read(receive)
        if body is None:
            await PlainTextResponse(TOO_LARGE, 413)(scope, receive, send)
            return
        needs = of_body(body, attached=self._attached)
        if needs <= has:
            await self._app(scope, _again(body, receive), send)
        else:
            await self._refuse(needs, "this", has)(scope, receive, send)

    async def _read(self, receive: Receive) -> bytes | None:
        """The body; None where it is too large."""
        data = bytearray()
        while True:
            message = await receive()
            data += message.get("body", b"")
            if len(data) > self._largest:
                return None
            if not message.get("more_body", False):
                return bytes(data)

    def _refuse(self, needs: Collection[str], what: str, has: Collection[str]) -> Response:
        sentence = lacking(what, needs, has)
        wanted = " ".join(listed({*needs, *has}))
        challenge = (
            f'Bearer error="insufficient_scope", scope="{wanted}", resource_metadata="{self._metadata}", '
            f'error_description="{sentence}"'
        )
        told = json.dumps({"error": "insufficient_scope", "error_description": sentence})
        headers = {"www-authenticate": challenge, "content-type": "application/json"}
        return Response(told, 403, headers)


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read once more, and then what comes after it."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
