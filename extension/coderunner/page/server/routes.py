"""Routes that are added to a host's own ASGI app: a socket for updates, buttons, and public files.

Each route checks the request itself, whatever the host has checked before: the page's token, the Host, and
the Origin, which may not be `null`. Only the public files are open to everybody, since sandboxed frames have
no origin; they contain no data.
"""

import hmac
import secrets
from collections.abc import Awaitable, Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from coderunner.access.origins import LOOPBACK, Scope, refusal
from coderunner.page.html.block_html import LONGEST_ANSWER
from coderunner.page.server.page_connection import PageConnection
from coderunner.page.server.public_routes import PublicRoutes
from coderunner.page.server.static_files import PREFIX
from coderunner.page.server.subscriptions import Subscriptions
from coderunner.secret_value import Secret
from coderunner.text.json_reader import loads
from coderunner.text.surrogates import whole

LONGEST_CODE = 256 * 1024
"""The most bytes of code that a person edits in a page: a block of a reply has some thousand."""

LARGEST_ACT = 4 * LONGEST_CODE
"""The most bytes of a button's message: JSON may spell a byte of code with several."""

TOO_LONG = f"This code is too long to be edited here: at most {LONGEST_CODE // 1024} KB run from this page."

LONG_ANSWER = f"This answer is too long: a program takes at most {LONGEST_ANSWER:,} characters at once."

NOT_NOW = "The code did not run: its block is running already, or running code is turned off."

SOCKET = f"{PREFIX}/socket"
LOADERS = f"{PREFIX}/loaders/"

PROTOCOL = "coderunner"
"""The socket's subprotocol. A page offers its token as another one: it cannot send headers there."""

HEADER = "X-CodeRunner-Token"

DATA = "application/octet-stream"
"""The type of what a program made, in a response: a browser that opens it by itself runs nothing."""

KEPT = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Vary": f"Cookie, {HEADER}",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What has its hash in its name never changes; it is for whoever may see the block alone."""

LookUp = Callable[[str, Literal["complete", "inspect"], str, int], Awaitable[Mapping[str, object]]]
"""By the ticket of a block: what its kernel knows of some code at a place, counted as JavaScript does."""


async def nothing(_ticket: str, _kind: str, _code: str, _at: int) -> Mapping[str, object]:
    """For hosts without editors."""
    return {}


class Acts(Protocol):
    """What a host does when a button of a block is pressed; False if no block waits for that."""

    def act(self, ticket: str, verb: str) -> bool:
        """Run, always, skip, stop, cancel."""

    def run_edited(self, ticket: str, verb: str, source: str) -> bool:
        """Run a block with other code than its own: one that waits (`run`), or one that ended (`edit`)."""

    def answer(self, ticket: str, text: Secret) -> bool:
        """Give a program what it asks for."""


class Admission(Protocol):
    """Who may see blocks in one host."""

    @property
    def hosts(self) -> Container[str]:
        """The host names that requests may use."""

    def admit(self, scope: Scope, token: str) -> str | None:
        """The owner of a request with that token; None if it is refused."""


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
class Views:
    """The routes with which a page shows blocks and their widgets; none of them runs a block."""

    subscriptions: Subscriptions
    rights: Admission

    def all(self) -> list[BaseRoute]:
        """All routes."""
        return [
            WebSocketRoute(SOCKET, self.socket),
            Route(f"{LOADERS}{{name}}", self.loader, methods=["GET"]),
            *PublicRoutes(self.rights.hosts).all(),
        ]

    async def socket(self, socket: WebSocket) -> None:
        """The socket of a page, for as long as the page is open."""
        owner = self.rights.admit(socket.scope, token_of(socket.scope))
        if owner is None:
            await socket.close(1008)
            return
        await socket.accept(PROTOCOL)
        await PageConnection(socket, self.subscriptions, owner).stay()

    async def loader(self, request: Request) -> Response:
        """What a block has loaded, for the frames of later ones; its name says what is in it."""
        owner = self.rights.admit(request.scope, token_of(request.scope))
        if owner is None:
            return JSONResponse({"error": "Only CodeRunner's own page may do this."}, 403)
        content = self.subscriptions.loader(request.path_params["name"], owner)
        if content is None:
            return JSONResponse({"error": "No block has loaded this."}, 404)
        return Response(content.encode("utf-8", "replace"), media_type=DATA, headers=dict(KEPT))


@dataclass(frozen=True, slots=True)
class Routes:
    """The routes, to be added to a host's app under their absolute paths."""

    subscriptions: Subscriptions
    rights: Rights
    acts: Acts
    look_up: LookUp = nothing
    """Asks the kernel of a block about code in its editor."""

    def all(self) -> list[BaseRoute]:
        """All routes."""
        return [
            *Views(self.subscriptions, self.rights).all(),
            Route(f"{PREFIX}/act", self.act, methods=["POST"]),
            Route(f"{PREFIX}/look-up", self.looked_up, methods=["POST"]),
        ]

    async def act(self, request: Request) -> Response:
        """A button of a block: `{"ticket": …, "act": "run" | "always" | "skip" | "stop" | "cancel"}`.

        Or its form, with the answer to a program: `{"ticket": …, "act": "answer", "text": …}`. Or its editor,
        with what is to run: `{"ticket": …, "act": "run" | "edit", "code": …}`.
        """
        asked = await own_json(request, self.rights)
        match asked:
            case Response():
                return asked
            case {"act": "answer", "text": str(text)} if len(text) > LONGEST_ANSWER:
                return JSONResponse({"error": LONG_ANSWER}, 413)
            case {"ticket": str(ticket), "act": "answer", "text": str(text)} if self.acts.answer(
                ticket, Secret(text)
            ):
                return JSONResponse({})
            case {"code": str(code)} if len(code.encode("utf-8", "surrogatepass")) > LONGEST_CODE:
                return JSONResponse({"error": TOO_LONG}, 413)
            case {"ticket": str(ticket), "act": "run" | "edit" as verb, "code": str(code)}:
                taken = bool(code.strip()) and self.acts.run_edited(ticket, verb, f"{whole(code).rstrip()}\n")
                return JSONResponse({} if taken else {"error": NOT_NOW}, 200 if taken else 404)
            case {"ticket": str(ticket), "act": str(verb)} if self.acts.act(ticket, verb):
                return JSONResponse({})
            case _:
                return JSONResponse({"error": "No block is waiting for this."}, 404)

    async def looked_up(self, request: Request) -> Response:
        """What the kernel knows of code in an editor; an empty object where it says nothing, or is busy.

        `{"ticket": …, "kind": "complete" | "inspect", "code": …, "at": …}`, the place as JavaScript counts.
        """
        match asked := await own_json(request, self.rights):
            case Response():
                return asked
            case {
                "ticket": str(ticket),
                "kind": "complete" | "inspect" as kind,
                "code": str(code),
                "at": int(at),
            } if len(code) <= LONGEST_CODE:
                return JSONResponse(await self.look_up(ticket, kind, whole(code), at))
            case _:
                return JSONResponse({})


def token_of(scope: Scope) -> str:
    """The token with which a page sends a request or opens a socket; empty if it has none, or several."""
    if scope["type"] != "websocket":
        return Headers(scope=scope).get(HEADER, "")
    offered = scope.get("subprotocols") or []
    others = [each for each in offered if each != PROTOCOL]
    return others[0] if len(others) == 1 and PROTOCOL in offered else ""


async def own_json(request: Request, rights: Rights) -> object:
    """What our own page sends; a response where it was somebody else, or something else."""
    if rights.admit(request.scope, request.headers.get(HEADER, "")) is None:
        return JSONResponse({"error": "Only CodeRunner's own page may do this."}, 403)
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return JSONResponse({"error": "Send JSON."}, 415)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_ACT:
            return JSONResponse({"error": TOO_LONG}, 413)
    return _json(body)


def _json(body: bytes) -> object:
    try:
        return loads(body)
    except ValueError:
        return None
