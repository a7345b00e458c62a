"""Routes of a chat's variables, for the panel that shows them; they run no cell and start no kernel."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from coderunner.errors import CodeRunnerError
from coderunner.page.server.routes import HEADER, Rights
from coderunner.page.server.static_files import PREFIX
from coderunner.runner import (
    Local,
    Rows,
    Session,
    count_of_variables,
    rows_in,
    usage_of,
    variables_in,
)

NOT_OURS = "Only CodeRunner's own page may do this."
NO_CHAT = "This conversation no longer exists."
LONGEST = 200
"""Characters of a name that is looked for."""

PAUSE, PAUSES = 0.05, 5
"""Seconds for which no cell runs before the kernel is asked, and how often those are waited for."""

SessionOf = Callable[[str], Awaitable[Session | None]]
"""The session of the conversation of that id; None if there is none."""


@dataclass(frozen=True, slots=True)
class VariableRoutes:
    """The routes, to be added to a host's app under their absolute paths."""

    rights: Rights
    session_of: SessionOf

    def all(self) -> list[BaseRoute]:
        """All routes."""
        return [
            Route(f"{PREFIX}/variables", self.variables, methods=["GET"]),
            Route(f"{PREFIX}/table", self.table, methods=["GET"]),
            Route(f"{PREFIX}/usage", self.usage, methods=["GET"]),
        ]

    async def variables(self, request: Request) -> Response:
        """The variables whose name or type contains a text: `?c=…&match=…`; with `&count=1` only how many.

        `why` is a sentence where they are not known.
        """
        session = await self._own(request)
        if isinstance(session, Response):
            return session
        await at_rest(session)
        if request.query_params.get("count") == "1":
            return await _count(session)
        try:
            found = await variables_in(session, request.query_params.get("match", "")[:LONGEST])
        except CodeRunnerError as error:
            return JSONResponse({"variables": [], "more": 0, "why": str(error)})
        listed = [{**asdict(each), "extent": each.extent} for each in found.variables]
        return JSONResponse({"variables": listed, "more": found.more, "why": ""})

    async def table(self, request: Request) -> Response:
        """Rows of a table: `?c=…&name=…&offset=…&limit=…&sort=…&descending=1&first=…`."""
        session = await self._own(request)
        if isinstance(session, Response):
            return session
        asked = request.query_params
        rows = Rows(
            asked.get("name", "")[:LONGEST],
            _number(asked, "offset"),
            _number(asked, "limit", 50),
            _number(asked, "sort") if "sort" in asked else None,
            asked.get("descending") == "1",
            _number(asked, "first"),
        )
        try:
            return JSONResponse(asdict(await rows_in(session, rows)))
        except CodeRunnerError as error:
            return JSONResponse({"error": str(error)}, 409)

    async def usage(self, request: Request) -> Response:
        """What the kernel uses: `?c=…`. `often`: it costs nothing to ask again soon.

        `error` is a sentence where that is not known, as while no kernel runs.
        """
        session = await self._own(request)
        if isinstance(session, Response):
            return session
        # A server takes a kernel that is asked anything for one in use, and does not cull it.
        often = isinstance(session.where, Local)
        try:
            return JSONResponse({**asdict(await usage_of(session)), "often": often})
        except CodeRunnerError as error:
            return JSONResponse({"error": str(error), "often": often})

    async def _own(self, request: Request) -> Session | Response:
        """The session that is meant, or why there is none."""
        if self.rights.admit(request.scope, request.headers.get(HEADER, "")) is None:
            return JSONResponse({"error": NOT_OURS}, 403)
        session = await self.session_of(request.query_params.get("c", ""))
        return JSONResponse({"error": NO_CHAT}, 404) if session is None else session


async def _count(session: Session) -> Response:
    """How many variables hold data: a page needs no more while nobody looks at them."""
    try:
        return JSONResponse({"count": await count_of_variables(session), "why": ""})
    except CodeRunnerError as error:
        return JSONResponse({"count": 0, "why": str(error)})


async def at_rest(session: Session) -> None:
    """Let a short cell end before its kernel is asked: the answer would cost it some milliseconds.

    So it would the next one, where one has just ended and others follow.
    """
    for _ in range(PAUSES):
        if not session.busy and time.monotonic() - session.used > PAUSE:
            return
        await asyncio.sleep(PAUSE)


def _number(asked: Mapping[str, str], name: str, otherwise: int = 0) -> int:
    text = asked.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else otherwise
