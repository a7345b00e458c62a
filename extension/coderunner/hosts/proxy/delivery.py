"""How a reply gets to a client: piece by piece, or as a whole. The connection is kept alive meanwhile."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Protocol

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from coderunner.errors import CodeRunnerError, EndpointFailed
from coderunner.hosts.proxy import wire
from coderunner.hosts.proxy.wire import Outcome, Wire

QUIET = 10.0
"""Seconds of silence after which a stream gives a sign of life: proxies close one after 60, some after 15."""

STREAM = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}

BAD_GATEWAY = 502


class Delivery(Protocol):
    """Takes a reply while it is written."""

    async def say(self, text: str) -> None:
        """A piece of the reply."""

    async def think(self, text: str) -> None:
        """A piece of the thought."""

    async def call(self, calls: Sequence[object]) -> None:
        """Fragments of calls of the client's own tools."""

    async def finish(self, outcome: Outcome) -> None:
        """The reply has ended."""

    async def fail(self, failure: CodeRunnerError) -> None:
        """There is no (more of the) reply."""

    async def live(self, quiet: float) -> None:
        """Keep the connection alive, until this is cancelled, after `quiet` seconds without a word."""


class Streamed:
    """Sends each piece at once. The answer begins with the first, so that a failure before has its status."""

    def __init__(
        self, scope: Scope, send: Send, its: Wire, headers: Mapping[str, str], *, counts: bool
    ) -> None:
        self._scope = scope
        self._send = send
        self._wire = its
        self._headers = headers
        self._counts = counts
        self._began = False
        self._beginning = asyncio.Lock()
        self._last = _now()

    async def say(self, text: str) -> None:
        """A piece of the reply."""
        await self._put(self._wire.content(text))

    async def think(self, text: str) -> None:
        """A piece of the thought."""
        await self._put(self._wire.reasoning(text))

    async def call(self, calls: Sequence[object]) -> None:
        """Fragments of calls of the client's own tools."""
        await self._put(self._wire.calls(calls))

    async def finish(self, outcome: Outcome) -> None:
        """The last chunks."""
        await self._put(self._wire.end(outcome, counts=self._counts))
        await self._send({"type": "http.response.body", "body": b""})

    async def fail(self, failure: CodeRunnerError) -> None:
        """The failure, with its own status where nothing was sent yet."""
        if not self._began:
            await refuse(failure, self._headers)(self._scope, _nothing, self._send)
            return
        await self._put(wire.broken_off(str(failure)))
        await self._send({"type": "http.response.body", "body": b""})

    async def live(self, quiet: float) -> None:
        """Send a comment whenever nothing else was sent for so long."""
        while True:
            await asyncio.sleep(max(0.0, self._last + quiet - _now()))
            if _now() - self._last >= quiet:
                await self._put(wire.COMMENT)

    async def _put(self, data: bytes) -> None:
        if not self._began:
            await self._begin()
        self._last = _now()
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def _begin(self) -> None:
        async with self._beginning:
            if self._began:
                return
            headers = [(name.encode(), value.encode()) for name, value in {**STREAM, **self._headers}.items()]
            await self._send({"type": "http.response.start", "status": 200, "headers": headers})
            role = self._wire.role()
            await self._send({"type": "http.response.body", "body": role, "more_body": True})
            self._began = True


class Whole:
    """Collects the reply and sends it at its end."""

    def __init__(self, scope: Scope, send: Send, its: Wire, headers: Mapping[str, str]) -> None:
        self._scope = scope
        self._send = send
        self._wire = its
        self._headers = headers
        self._said: list[str] = []
        self._thought: list[str] = []
        self._calls: list[object] = []

    async def say(self, text: str) -> None:
        """A piece of the reply."""
        self._said.append(text)

    async def think(self, text: str) -> None:
        """A piece of the thought."""
        self._thought.append(text)

    async def call(self, calls: Sequence[object]) -> None:
        """Fragments of calls of the client's own tools."""
        self._calls += calls

    async def finish(self, outcome: Outcome) -> None:
        """The whole."""
        said, thought = "".join(self._said), "".join(self._thought)
        body = self._wire.whole(said, thought, self._calls, outcome)
        await JSONResponse(body, headers=dict(self._headers))(self._scope, _nothing, self._send)

    async def fail(self, failure: CodeRunnerError) -> None:
        """The failure in place of the reply."""
        await refuse(failure, self._headers)(self._scope, _nothing, self._send)

    async def live(self, _quiet: float) -> None:
        """Nothing can be said before the end."""
        await asyncio.Event().wait()


async def attended(
    receive: Receive, deliver: Coroutine[None, None, None], *beside: Coroutine[None, None, None]
) -> None:
    """Do `deliver`, and what is to be done `beside` it; cancel them when the client hangs up."""
    work = asyncio.ensure_future(deliver)
    others = [asyncio.ensure_future(each) for each in (_gone(receive), *beside)]
    try:
        await asyncio.wait({work, *others}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (work, *others):
            task.cancel()
        await asyncio.gather(work, *others, return_exceptions=True)
    if not work.cancelled():
        work.result()


def refuse(failure: CodeRunnerError, headers: Mapping[str, str]) -> JSONResponse:
    """An error body; the status is the endpoint's own where it gave one that is an error."""
    status = failure.status if isinstance(failure, EndpointFailed) else BAD_GATEWAY
    status = status if status >= 400 else BAD_GATEWAY
    kind = "invalid_request_error" if status < 500 else "api_error"
    return JSONResponse(wire.error(str(failure), kind=kind), status, headers=dict(headers))


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _nothing() -> dict[str, object]:
    return {"type": "http.disconnect"}


def _now() -> float:
    return asyncio.get_running_loop().time()
