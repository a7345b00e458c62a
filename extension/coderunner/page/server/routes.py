"""Routes that are added to a host's own ASGI app: a socket for updates, buttons, and public files.

Each route checks the request itself, whatever the host has checked before: the page's token, the Host, and
the Origin, which may not be `null`. Only the public files are open to everybody, since sandboxed frames have
no origin; they contain no data.
"""

import hmac
import secrets
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from coderunner.access.origins import LOOPBACK, Scope, refusal
from coderunner.page.server.page_connection import PageConnection
from coderunner.page.server.public_routes import PublicRoutes
from coderunner.page.server.static_files import PREFIX
from coderunner.page.server.subscriptions import Subscriptions
from coderunner.secret_value import Secret
from coderunner.text.json_reader import loads

LARGEST_ACT = 64 * 1024
"""The most bytes of a button's message; the longest answer to a program takes most of them."""

PROTOCOL = "coderunner"
"""The socket's subprotocol. A page offers its token as another one: it cannot send headers there."""

HEADER = "X-CodeRunner-Token"


class Acts(Protocol):
    """What a host does when a button of a block is pressed; False if no block waits for that."""

    def act(self, ticket: str, verb: str) -> bool:
        """Run, always, skip, stop, cancel."""

    def answer(self, ticket: str, text: Secret) -> bool:
        """Give a program what it asks for."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Who may use the routes of one host."""

    hosts: Container[str] = LOOPBACK
    """The host names that requests may use."""
    owner: Callable[[Scope], str | None] = lambda _scope: ""
    """The user of a request, if the host has a login; None if it is not logged in."""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    """The token in our own pages; whoever can read one of them has passed the host's login."""

    def admit(self, scope: Scope, token: str) -> str | None:
        """The owner of a request; None if it is refused."""
        known = hmac.compare_digest(token.encode(), self.token.encode())
        return self.owner(scope) if known and not refusal(scope, self.hosts) else None


@dataclass(frozen=True, slots=True)
class Routes:
    """The routes, to be added to a host's app under their absolute paths."""

    subscriptions: Subscriptions
    rights: Rights
    acts: Acts

    def all(self) -> list[BaseRoute]:
        """All routes."""
        return [
            WebSocketRoute(f"{PREFIX}/socket", self.socket),
            Route(f"{PREFIX}/act", self.act, methods=["POST"]),
            *PublicRoutes(self.rights.hosts).all(),
        ]

    async def socket(self, socket: WebSocket) -> None:
        """The socket of a page, for as long as the page is open."""
        offered = socket.scope.get("subprotocols") or []
        others = [each for each in offered if each != PROTOCOL]
        token = others[0] if len(others) == 1 and PROTOCOL in offered else ""
        owner = self.rights.admit(socket.scope, token)
        if owner is None:
            await socket.close(1008)
            return
        await socket.accept(PROTOCOL)
        await PageConnection(socket, self.subscriptions, owner).stay()

    async def act(self, request: Request) -> Response:
        """A button of a block: `{"ticket": …, "act": "run" | "always" | "skip" | "stop" | "cancel"}`.

        Or its form, with the answer to a program: `{"ticket": …, "act": "answer", "text": …}`.
        """
        if self.rights.admit(request.scope, request.headers.get(HEADER, "")) is None:
            return JSONResponse({"error": "Only CodeRunner's own page may do this."}, 403)
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return JSONResponse({"error": "Send JSON."}, 415)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_ACT:
                return JSONResponse({"error": "The request is too large."}, 413)
        match _json(body):
            case {"ticket": str(ticket), "act": "answer", "text": str(text)} if self.acts.answer(
                ticket, Secret(text)
            ):
                return JSONResponse({})
            case {"ticket": str(ticket), "act": str(verb)} if self.acts.act(ticket, verb):
                return JSONResponse({})
            case _:
                return JSONResponse({"error": "No block is waiting for this."}, 404)


def _json(body: bytes) -> object:
    try:
        return loads(body)
    except ValueError:
        return None
