"""How a reply gets to a client: piece by piece, or as a whole. The connection is kept alive meanwhile."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from starlette.responses import JSONResponse
from starlette.types import Scope, Send

from coderunner.errors import CodeRunnerError, EndpointFailed
from coderunner.files.chat_folder import NoRoom, NoSuchFile, NotAName
from coderunner.hosts.proxy.client_api import openai_format
from coderunner.hosts.proxy.client_api.chat_request import UnusableRequest
from coderunner.hosts.proxy.client_api.openai_format import Outcome, ReplyFormat
from coderunner.hosts.proxy.client_api.refusal import Refusal
from coderunner.hosts.proxy.files.sent_files import UnusableFile
from coderunner.hosts.proxy.team.limiter import Reached
from coderunner.runner import Part

QUIET = 10.0
"""Seconds of silence after which a stream gives a sign of life: proxies close one after 60, some after 15."""

MOST_WAITING = 65_536
"""Bytes for a client that reads more slowly than the model writes: then the model waits."""

BURST = 0.002
"""Seconds after a piece in which the next one waits for others: sending each by itself would cost more than
all else does. A model that writes 500 tokens a second is no burst."""

STREAM = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}

BAD_GATEWAY = 502
STATUSES: Mapping[type[CodeRunnerError], int] = {
    UnusableFile: 400,
    UnusableRequest: 400,
    NotAName: 400,
    NoSuchFile: 404,
    NoRoom: 413,
}
"""The status of a failure that is the request's."""

SOON = 5
"""Seconds after which to try again where nobody knows when another reply ends."""
LATE = 60
"""The most seconds that OpenAI's clients wait for; without them, they try again within eight."""


class ReplySink(Protocol):
    """Receives a reply while it is written."""

    async def say(self, text: str, part: Part = Part.TEXT) -> None:
        """A piece of the reply, and what it is."""

    async def think(self, text: str) -> None:
        """A piece of the thought."""

    async def run(self, code: str) -> None:
        """The block that was said last runs, as this code."""

    async def end_block(self, kept: Sequence[str], *, failed: bool) -> None:
        """The block has ended, and its result follows.

        `kept` is what that has of ours: the Markdown of its images, and the links to its files.
        """

    async def call(self, calls: Sequence[object]) -> None:
        """Fragments of calls of the client's own tools."""

    async def pass_event(self, event: Mapping[str, object]) -> None:
        """An event of an endpoint that has the client's API, for the client."""


class Delivery(ReplySink, Protocol):
    """Sends it to a client."""

    async def finish(self, outcome: Outcome) -> None:
        """The reply has ended."""

    async def fail(self, failure: CodeRunnerError) -> None:
        """The reply has failed."""

    async def live(self, quiet: float) -> None:
        """Keep the connection alive after `quiet` seconds without text, until this is cancelled."""


class StreamFormat(Protocol):
    """What a client's API makes of a reply: bytes of its stream."""

    def begin(self) -> bytes:
        """What stands before everything."""

    def content(self, text: str, part: Part) -> bytes:
        """A piece of the reply."""

    def reasoning(self, text: str) -> bytes:
        """A piece of the thought."""

    def run(self, code: str) -> bytes:
        """The block runs."""

    def ended(self, kept: Sequence[str], *, failed: bool) -> bytes:
        """The block has ended, with what its result has of ours."""

    def calls(self, fragments: Sequence[object]) -> bytes:
        """Fragments of calls of the client's own tools, as the model sent them."""

    def passed(self, event: Mapping[str, object]) -> bytes:
        """An event of an endpoint that has this API."""

    def end(self, outcome: Outcome) -> bytes:
        """What stands after everything."""

    def break_off(self, message: str) -> bytes:
        """The end of a stream that failed after its start."""


class StreamedResponse:
    """Sends each piece at once; pieces that arrive together are sent together.

    The response starts with the first piece, so that an earlier failure has its own status.
    """

    def __init__(
        self, scope: Scope, send: Send, stream_format: StreamFormat, headers: Mapping[str, str]
    ) -> None:
        self._scope = scope
        self._send = send
        self._format = stream_format
        self._headers = headers
        self._began = False
        self._waiting = b""
        self._pending = asyncio.Event()
        self._sending = asyncio.Lock()
        self._moved = 0.0
        """When something was sent last."""

    async def say(self, text: str, part: Part = Part.TEXT) -> None:
        """A piece of the reply."""
        await self._put(self._format.content(text, part))

    async def think(self, text: str) -> None:
        """A piece of the thought."""
        await self._put(self._format.reasoning(text))

    async def run(self, code: str) -> None:
        """The block runs."""
        await self._put(self._format.run(code))

    async def end_block(self, kept: Sequence[str], *, failed: bool) -> None:
        """The block has ended."""
        await self._put(self._format.ended(kept, failed=failed))

    async def call(self, calls: Sequence[object]) -> None:
        """Fragments of calls of the client's own tools."""
        await self._put(self._format.calls(calls))

    async def pass_event(self, event: Mapping[str, object]) -> None:
        """An event of the endpoint's."""
        await self._put(self._format.passed(event))

    async def finish(self, outcome: Outcome) -> None:
        """The last chunks."""
        await self._end(self._format.end(outcome))

    async def fail(self, failure: CodeRunnerError) -> None:
        """The failure, with its own status if nothing was sent yet."""
        if self._began or self._waiting:
            await self._end(self._format.break_off(str(failure)))
        else:
            await refuse(failure, self._headers)(self._scope, _nothing, self._send)

    async def live(self, quiet: float) -> None:
        """Send the pieces, and a comment after each `quiet` seconds without one."""
        beat = asyncio.create_task(self._beat(quiet))
        try:
            while True:
                await self._pending.wait()
                await self._flush()
        finally:
            beat.cancel()

    async def _beat(self, quiet: float) -> None:
        """Have a comment sent where nothing else is: a timer for each piece would cost as much as that."""
        self._moved = time.monotonic()
        while True:
            await asyncio.sleep(quiet - (time.monotonic() - self._moved))
            if time.monotonic() - self._moved >= quiet:
                self._waiting += openai_format.COMMENT
                self._pending.set()
                self._moved = time.monotonic()

    async def _put(self, data: bytes) -> None:
        """Have it sent: at once, or within a burst when the loop is free, with what comes until then."""
        if not data:
            return
        self._waiting += data
        burst = time.monotonic() - self._moved < BURST
        if burst and len(self._waiting) <= MOST_WAITING:
            self._pending.set()
        else:
            await self._flush()

    async def _end(self, last: bytes) -> None:
        self._waiting += last
        await self._flush()
        await self._send({"type": "http.response.body", "body": b""})

    async def _flush(self) -> None:
        async with self._sending:
            data, self._waiting = self._waiting, b""
            self._pending.clear()
            self._moved = time.monotonic()
            if data and not self._began:
                self._began = True
                headers = {**STREAM, **self._headers}.items()
                named = [(name.encode(), value.encode()) for name, value in headers]
                await self._send({"type": "http.response.start", "status": 200, "headers": named})
                data = self._format.begin() + data
            if data:
                await self._send({"type": "http.response.body", "body": data, "more_body": True})


class WholeResponse:
    """Sends the reply at its end; what it is put together of is for those that derive from it."""

    def __init__(self, scope: Scope, send: Send, headers: Mapping[str, str]) -> None:
        self._scope = scope
        self._send = send
        self._headers = headers

    async def fail(self, failure: CodeRunnerError) -> None:
        """The failure in place of the reply."""
        await refuse(failure, self._headers)(self._scope, _nothing, self._send)

    async def live(self, _quiet: float) -> None:
        """Nothing can be sent before the end."""
        await asyncio.Event().wait()

    async def _send_whole(self, body: Mapping[str, object]) -> None:
        await JSONResponse(body, headers=dict(self._headers))(self._scope, _nothing, self._send)


class WholeFormat(StreamFormat, Protocol):
    """An API whose stream adds up to the whole."""

    def whole(self, outcome: Outcome) -> Mapping[str, object]:
        """The whole, after its end."""


Keep = Callable[[Mapping[str, object]], Awaitable[None]]
"""Saves a reply that has ended, before its client hears of its end."""


async def forget(_whole: Mapping[str, object]) -> None:
    """Save nothing."""


class StreamedEvents(StreamedResponse):
    """A reply as a stream, which is saved at its end."""

    def __init__(
        self, scope: Scope, send: Send, its: WholeFormat, headers: Mapping[str, str], keep: Keep = forget
    ) -> None:
        super().__init__(scope, send, its, headers)
        self._whole, self._keep = its, keep

    async def finish(self, outcome: Outcome) -> None:
        """Save it, then the last events."""
        last = self._whole.end(outcome)
        await self._keep(self._whole.whole(outcome))
        await self._end(last)


class WholeEvents(WholeResponse):
    """A reply that is put together as its stream would be, saved, and sent at its end."""

    def __init__(
        self, scope: Scope, send: Send, its: WholeFormat, headers: Mapping[str, str], keep: Keep = forget
    ) -> None:
        super().__init__(scope, send, headers)
        self._whole, self._keep = its, keep

    async def say(self, text: str, part: Part = Part.TEXT) -> None:
        """A piece of the reply."""
        self._whole.content(text, part)

    async def think(self, text: str) -> None:
        """A piece of the thought."""
        self._whole.reasoning(text)

    async def run(self, code: str) -> None:
        """The block runs."""
        self._whole.run(code)

    async def end_block(self, kept: Sequence[str], *, failed: bool) -> None:
        """The block has ended, with what its result has of ours."""
        self._whole.ended(kept, failed=failed)

    async def call(self, calls: Sequence[object]) -> None:
        """Fragments of calls of the client's own tools."""
        self._whole.calls(calls)

    async def pass_event(self, event: Mapping[str, object]) -> None:
        """An event of the endpoint's."""
        self._whole.passed(event)

    async def finish(self, outcome: Outcome) -> None:
        """Save it, and send it."""
        self._whole.end(outcome)
        whole = self._whole.whole(outcome)
        await self._keep(whole)
        await self._send_whole(whole)


class WholeChat(WholeResponse):
    """Collects the reply as one message."""

    def __init__(
        self, scope: Scope, send: Send, reply_format: ReplyFormat, headers: Mapping[str, str]
    ) -> None:
        super().__init__(scope, send, headers)
        self._format = reply_format
        self._said: list[str] = []
        self._thought: list[str] = []
        self._calls: list[object] = []

    async def say(self, text: str, _part: Part = Part.TEXT) -> None:
        """A piece of the reply."""
        self._said.append(text)

    async def think(self, text: str) -> None:
        """A piece of the thought."""
        self._thought.append(text)

    async def run(self, _code: str) -> None:
        """Nothing of it is in the reply."""

    async def end_block(self, _kept: Sequence[str], *, failed: bool) -> None:
        """Its result is in the reply."""

    async def call(self, calls: Sequence[object]) -> None:
        """Fragments of calls of the client's own tools."""
        self._calls += calls

    async def pass_event(self, event: Mapping[str, object]) -> None:
        """Chat completions have no events."""

    async def finish(self, outcome: Outcome) -> None:
        """The whole."""
        said, thought = "".join(self._said), "".join(self._thought)
        await self._send_whole(self._format.whole(said, thought, self._calls, outcome))


def limited(reached: Reached) -> Refusal:
    """The error response for a limit that is reached.

    Clients try again by themselves, after the seconds that the response names if these are 60 at most. What
    frees later they are told not to try.
    """
    seconds = SOON if reached.seconds is None else max(math.ceil(reached.seconds), 1)
    said = f"Limit of this key reached: {reached.what}. There is room again {reached.frees}."
    headers = {"retry-after": str(seconds)}
    if seconds > LATE:
        headers["x-should-retry"] = "false"
    return Refusal(said, 429, headers, kind=reached.kind, code="rate_limit_exceeded")


def refuse(failure: CodeRunnerError, headers: Mapping[str, str]) -> Refusal:
    """An error response; it has the endpoint's status if that is an error, and its `Retry-After`."""
    own = (status for kind, status in STATUSES.items() if isinstance(failure, kind))
    status = failure.status if isinstance(failure, EndpointFailed) else next(own, BAD_GATEWAY)
    status = status if status >= 400 else BAD_GATEWAY
    if isinstance(failure, EndpointFailed) and failure.retry_after:
        headers = {**headers, "retry-after": failure.retry_after}
    return Refusal(str(failure), status, headers)


async def _nothing() -> dict[str, object]:
    return {"type": "http.disconnect"}
