"""The front of the app for several people: lets a person in, and hands requests on to that person's app."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from coderunner.access.origins import Receive, Scope, Send, own_path
from coderunner.errors import CodeRunnerError
from coderunner.hosts.team import pages
from coderunner.hosts.team.forwarding import Forwarding, GoneError
from coderunner.hosts.team.people import People, TooManyPeopleError
from coderunner.hosts.team.person_process import PersonProcess
from coderunner.hosts.team.reverse_proxy import NotAdmittedError, Person
from coderunner.page.server.public_routes import PublicRoutes
from coderunner.page.server.static_files import PUBLIC

PROMPT = 0.5
"""Seconds that a page waits for its app before it says so."""
MOST_OPEN = 200
"""Requests of one person at once: a page has a handful, and nobody has fifty pages."""
CROWDED = "You have too many pages of CodeRunner open. Close some of them."

OWN_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Of what the front says itself; what an app says has its own."""


class Admission(Protocol):
    """Says whose a request is."""

    def prove(self, scope: Scope) -> None:
        """Raise NotAdmittedError if a request may have nothing at all."""

    async def admit(self, scope: Scope, receive: Receive, send: Send) -> Person | None:
        """The person of a request; None if it has been answered. Raises NotAdmittedError if there is none."""


class Front:
    """The ASGI app; its lifespan is that of all people's apps."""

    def __init__(
        self, admission: Admission, people: People, forwarding: Forwarding, hosts: list[str]
    ) -> None:
        self._admission = admission
        self._people = people
        self._forwarding = forwarding
        self._own = Starlette(routes=PublicRoutes(hosts).all(), lifespan=self._life)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._own(scope, receive, send)
            return
        try:
            if own_path(scope).startswith(PUBLIC):
                # Sandboxed frames load them, and browsers send nothing along that says whose they are.
                self._admission.prove(scope)
                await self._own({**scope, "scheme": self._forwarding.scheme}, receive, send)
            elif (person := await self._admission.admit(scope, receive, send)) is not None:
                await self._serve(person, scope, receive, send)
        except NotAdmittedError as why:
            await _say(scope, receive, send, 403, pages.REFUSED, str(why))

    async def _serve(self, person: Person, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            app = await self._app_of(person, waits=not _wants_a_page(scope))
            if app is None:
                page = HTMLResponse(pages.starting(person.name), headers=OWN_HEADERS)
                await page(scope, receive, send)
            elif app.open >= MOST_OPEN:
                await _say(scope, receive, send, 503, pages.FULL, CROWDED)
            else:
                with app.serving():
                    serve = (
                        self._forwarding.socket if scope["type"] == "websocket" else self._forwarding.request
                    )
                    await serve(app, scope, receive, send)
        except TooManyPeopleError as why:
            await _say(scope, receive, send, 503, pages.FULL, str(why))
        except CodeRunnerError:
            # The reason is about this machine: it is in the log, for whoever runs it.
            await _say(scope, receive, send, 503, pages.FAILED, pages.ASK)
        except GoneError:
            await _say(scope, receive, send, 502, pages.FAILED, pages.ENDED)

    async def _app_of(self, person: Person, *, waits: bool) -> PersonProcess | None:
        """A person's app; None if it does not start at once and nobody `waits`."""
        if waits or self._people.running(person):
            return await self._people.app_of(person)
        starting = asyncio.ensure_future(self._people.app_of(person))
        done, _ = await asyncio.wait([starting], timeout=PROMPT)
        if not done:
            starting.cancel()  # the waiting, not the start
            return None
        return starting.result()

    @contextlib.asynccontextmanager
    async def _life(self, _app: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(self._people.watch())
        try:
            yield
        finally:
            watching.cancel()
            await self._people.close()


async def _say(scope: Scope, receive: Receive, send: Send, status: int, title: str, sentence: str) -> None:
    if scope["type"] == "websocket":
        # 1013: try again later; before it is accepted, a browser sees no more than that it was refused.
        await send(
            {"type": "websocket.close", "code": 1008 if status == 403 else 1013, "reason": sentence[:100]}
        )
        return
    answer: Response = PlainTextResponse(sentence, status, headers=OWN_HEADERS)
    if _wants_a_page(scope):
        answer = HTMLResponse(pages.told(title, sentence), status, headers=OWN_HEADERS)
    await answer(scope, receive, send)


def _wants_a_page(scope: Scope) -> bool:
    return scope.get("method") == "GET" and any(
        name == b"accept" and b"text/html" in value for name, value in scope["headers"]
    )
