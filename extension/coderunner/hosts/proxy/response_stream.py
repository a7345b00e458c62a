"""How a reply gets to a client: piece by piece, or as a whole. The connection is kept alive meanwhile."""

import asyncio
import math
from collections.abc import Coroutine, Mapping, Sequence
from typing import Protocol

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from coderunner.errors import CodeRunnerError, EndpointFailed
from coderunner.hosts.proxy import openai_format
from coderunner.hosts.proxy.openai_format import Outcome, ReplyFormat
from coderunner.hosts.proxy.team.limiter import Reached

QUIET = 10.0
"""Seconds of silence after which a stream gives a sign of life: proxies close one after 60, some after 15."""

MOST_WAITING = 65_536
"""Bytes for a client that reads more slowly than the model writes: then the model waits."""

STREAM = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}

BAD_GATEWAY = 502

SOON = 5
"""Seconds after which to try again where nobody knows when another reply ends."""
LATE = 60
"""The most seconds that OpenAI's clients wait for; without them, they try again within eight."""


class ReplySink(Protocol):
    """Receives a reply while it is written."""

    async def say(self, text: str) -> None:
        """A piece of the reply."""

    async def think(self, text: str) -> None:
        """A piece of the thought."""

    async def call(self, calls: Sequence[object]) -> None:
        """Fragments of calls of the client's own tools."""


class Delivery(ReplySink, Protocol):
    """Sends it to a client."""

    async def finish(self, outcome: Outcome) -> None:
        """The reply has ended."""

    async def fail(self, failure: CodeRunnerError) -> None:
        """The reply has failed."""

    async def live(self, quiet: float) -> None:
        """Keep the connection alive after `quiet` seconds without text, until this is cancelled."""


class StreamedResponse:
    """Sends each piece at once; pieces that arrive together are sent together.

    The response starts with the first piece, so that an earlier failure has its own status.
    """

    def __init__(
        self, scope: Scope, send: Send, reply_format: ReplyFormat, headers: Mapping[str, str], *, counts: bool
    ) -> None:
        self._scope = scope
        self._send = send
        self._format = reply_format
        self._headers = headers
        self._counts = counts
        self._began = False
        self._waiting = b""
        self._pending = asyncio.Event()
        self._sending = asyncio.Lock()

    async def say(self, text: str) -> None:
        """A piece of the reply."""
        await self._put(self._format.content(text))

    async def think(self, text: str) -> None:
        """A piece of the thought."""
        await self._put(self._format.reasoning(text))

    async def call(self, calls: Sequence[object]) -> None:
        """Fragments of calls of the client's own tools."""
        await self._put(self._format.calls(calls))

    async def finish(self, outcome: Outcome) -> None:
        """The last chunks."""
        await self._end(self._format.end(outcome, counts=self._counts))

    async def fail(self, failure: CodeRunnerError) -> None:
        """The failure, with its own status if nothing was sent yet."""
        if self._began or self._waiting:
            await self._end(openai_format.broken_off(str(failure)))
        else:
            await refuse(failure, self._headers)(self._scope, _nothing, self._send)

    async def live(self, quiet: float) -> None:
        """Send the pieces, and a comment after each `quiet` seconds without one."""
        while True:
            try:
                async with asyncio.timeout(quiet):
                    await self._pending.wait()
            except TimeoutError:
                self._waiting += openai_format.COMMENT
            await self._flush()

    async def _put(self, data: bytes) -> None:
        """Have it sent as soon as the event loop is free."""
        self._waiting += data
        self._pending.set()
        if len(self._waiting) > MOST_WAITING:
            await self._flush()

    async def _end(self, last: bytes) -> None:
        self._waiting += last
        await self._flush()
        await self._send({"type": "http.response.body", "body": b""})

    async def _flush(self) -> None:
        async with self._sending:
            data, self._waiting = self._waiting, b""
            self._pending.clear()
            if data and not self._began:
                self._began = True
                headers = {**STREAM, **self._headers}.items()
                named = [(name.encode(), value.encode()) for name, value in headers]
                await self._send({"type": "http.response.start", "status": 200, "headers": named})
                data = self._format.role() + data
            if data:
                await self._send({"type": "http.response.body", "body": data, "more_body": True})


class WholeResponse:
    """Collects the reply and sends it at its end."""

    def __init__(
        self, scope: Scope, send: Send, reply_format: ReplyFormat, headers: Mapping[str, str]
    ) -> None:
        self._scope = scope
        self._send = send
        self._format = reply_format
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
        body = self._format.whole(said, thought, self._calls, outcome)
        await JSONResponse(body, headers=dict(self._headers))(self._scope, _nothing, self._send)

    async def fail(self, failure: CodeRunnerError) -> None:
        """The failure in place of the reply."""
        await refuse(failure, self._headers)(self._scope, _nothing, self._send)

    async def live(self, _quiet: float) -> None:
        """Nothing can be sent before the end."""
        await asyncio.Event().wait()


async def until_disconnected(
    receive: Receive, deliver: Coroutine[None, None, None], *beside: Coroutine[None, None, None]
) -> None:
    """Run `deliver`, and `beside` it other tasks; cancel them when the client disconnects."""
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


def limited(reached: Reached) -> JSONResponse:
    """The error response for a limit that is reached, as OpenAI's clients read it.

    They try again by themselves, after the seconds that the response names if these are 60 at most. What
    frees later they are told not to try.
    """
    seconds = SOON if reached.seconds is None else max(math.ceil(reached.seconds), 1)
    said = f"Limit of this key reached: {reached.what}. There is room again {reached.frees}."
    headers = {"retry-after": str(seconds)}
    if seconds > LATE:
        headers["x-should-retry"] = "false"
    body = openai_format.error(said, kind=reached.kind, code="rate_limit_exceeded")
    return JSONResponse(body, 429, headers=headers)


def refuse(failure: CodeRunnerError, headers: Mapping[str, str]) -> JSONResponse:
    """An error response; it has the endpoint's status if that is an error."""
    status = failure.status if isinstance(failure, EndpointFailed) else BAD_GATEWAY
    status = status if status >= 400 else BAD_GATEWAY
    kind = "invalid_request_error" if status < 500 else "api_error"
    return JSONResponse(openai_format.error(str(failure), kind=kind), status, headers=dict(headers))


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _nothing() -> dict[str, object]:
    return {"type": "http.disconnect"}
