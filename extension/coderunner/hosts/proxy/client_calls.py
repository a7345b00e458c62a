"""The calls that the blocks of one reply make of its client's own tools.

A call ends the response to the client, and the block waits, as does its reply. The client's next request has
the answer, and the reply goes on in the response to that. Lives in the proxy's loop, but for `call`.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import Protocol

from coderunner.errors import CodeRunnerError
from coderunner.hosts.proxy.client_api.chat_request import ChatRequest, ClientAnswer
from coderunner.hosts.proxy.client_api.client_functions import PREFIX
from coderunner.hosts.proxy.client_api.response_stream import ReplySink
from coderunner.models.endpoint.token_usage import Usage
from coderunner.runner import Session
from coderunner.text import json_reader
from coderunner.tools.answer import LARGEST, Answer
from coderunner.tools.tool import Tool

log = logging.getLogger(__name__)

TOGETHER = 0.05
"""Seconds in which the calls of several threads come, so that the client gets them at once."""
BACKGROUND = "this block goes on in the background, from where the chat program cannot be asked"
TOO_LATE = (
    "the chat program did not answer within {seconds:g} s, as long as a block may run (setting hard_timeout)"
)
WENT_ON = "the chat program went on without an answer"
UNANSWERED = "the chat program gave no answer to this call"
ENDED = "the reply that this block belongs to has ended"
MIXED = "the reply calls tools itself, and the chat program answers those first"
UNEXPLAINED = "the chat program says that the tool failed"
TOO_LARGE = "the answer has {size:,} characters; at most {most:,} can be passed on"


class Unanswered(CodeRunnerError):
    """The client of a reply has not answered a call of its block, and nobody is there for the rest."""


@dataclass(eq=False)
class _Call:
    """One call that waits for its answer."""

    tool: Tool
    arguments: Mapping[str, object]
    id: str = field(default_factory=lambda: PREFIX + secrets.token_hex(12))
    answer: "asyncio.Future[Answer]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def give(self, answer: Answer) -> None:
        """Answer it, unless that was done."""
        if not self.answer.done():
            self.answer.set_result(answer)


class ReplyParts(Protocol):
    """One reply in as many responses as the calls of its blocks make of it."""

    def lend(self, calls: "ClientCalls") -> None:
        """Have answers to these calls find them."""

    @property
    def sink(self) -> ReplySink:
        """What the latest of them receives."""

    def begin_next(self) -> None:
        """What is said from now on is for the client's next request."""

    async def end_last(self, calls: Sequence[Mapping[str, object]], usage: Usage) -> None:
        """End the response before with these calls of the client's tools."""


class ClientCalls:
    """Those of one reply; they are what it lends to its conversation."""

    def __init__(
        self,
        asked: ChatRequest,
        parts: ReplyParts,
        session: Session,
        *,
        usage: Callable[[], Usage],
        seconds: float,
        paused: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """`usage`: what the reply has cost so far. `seconds`: how long the client has for an answer.

        `paused`: the time of the reply does not count meanwhile.
        """
        self.tools = tuple(asked.tools)
        self._together = asked.options.get("parallel_tool_calls") is not False
        self._parts: ReplyParts | None = parts
        self._borrower = session.tools
        self._usage, self._seconds = usage, seconds
        self._paused, self._pause = paused, ExitStack()
        self._loop = asyncio.get_running_loop()
        self._coming: list[_Call] = []
        """Those of which the client does not know."""
        self._told: dict[str, _Call] = {}
        """Those that it answers next, by their ids."""
        self._telling: asyncio.Task[None] | None = None
        self._over = ""
        """Why no call can be made any more."""
        self._running = False
        """The reply waits for a block."""
        self.suspended = False
        """The client has been told of calls, and has not come back."""
        parts.lend(self)
        if self._borrower is not None:
            self._borrower.lent = self

    def begin_block(self) -> None:
        """The reply waits for a block from now on, which may make calls."""
        self._running = True

    def end_block(self) -> None:
        """It does not any more."""
        self._running = False

    # --- calls ------------------------------------------------------------------------------------

    async def call(self, tool: Tool, arguments: Mapping[str, object]) -> Answer:
        """Have the client call a tool. In the loop of the kernels."""
        calling = asyncio.run_coroutine_threadsafe(self._call(tool, arguments), self._loop)
        return await asyncio.wrap_future(calling)

    async def _call(self, tool: Tool, arguments: Mapping[str, object]) -> Answer:
        if self._over or not self._running:
            return Answer(error=self._over or BACKGROUND)
        call = _Call(tool, arguments)
        self._coming.append(call)
        self._tell()
        try:
            await asyncio.wait([call.answer], timeout=self._seconds)
            if not call.answer.done():
                self.end(TOO_LATE.format(seconds=self._seconds))
            return call.answer.result()
        finally:
            if call in self._coming:
                self._coming.remove(call)

    def _tell(self) -> None:
        if not self.suspended and self._telling is None:
            self._telling = self._loop.create_task(self._tell_client())
            self._telling.add_done_callback(self._told_client)

    def _told_client(self, telling: "asyncio.Task[None]") -> None:
        self._telling = None
        if not telling.cancelled() and (failure := telling.exception()) is not None:
            log.error("A client could not be told of a call", exc_info=failure)
            self.end(WENT_ON)

    async def _tell_client(self) -> None:
        await asyncio.sleep(TOGETHER)
        now = self._coming[: None if self._together else 1]
        if not now or self._parts is None:
            return
        self.suspended = True
        self._pause.enter_context(self._paused())
        self._told = {call.id: call for call in now}
        del self._coming[: len(now)]
        self._parts.begin_next()
        await self._parts.end_last([_fragment(*each) for each in enumerate(now)], self._usage())

    # --- answers ----------------------------------------------------------------------------------

    def receive(self, answers: Mapping[str, ClientAnswer]) -> None:
        """Take what the client's next request answers; a call that it leaves out fails."""
        if not self.suspended or not self._told.keys() & answers.keys():
            return
        self.suspended = False
        self._pause.close()
        for identity, call in self._told.items():
            known = identity in answers
            call.give(answer_of(answers[identity]) if known else Answer(error=UNANSWERED))
        if self._coming:
            self._tell()

    def end(self, why: str) -> None:
        """No call is made any more, and none waits."""
        self._over = self._over or why
        for call in (*self._told.values(), *self._coming):
            call.give(Answer(error=self._over))
        self._pause.close()

    def close(self) -> None:
        """The reply has ended."""
        self.end(ENDED)
        self._parts = None
        if self._borrower is not None and self._borrower.lent is self:
            self._borrower.lent = None


def answer_of(answer: ClientAnswer) -> Answer:
    """What a client answers: texts and images in order, a JSON object or list as such, else a text."""
    said = answer.text
    if answer.failed:
        return Answer(error=said[:LARGEST].strip() or UNEXPLAINED)
    size = sum(len(each if isinstance(each, str) else each["data"]) for each in answer.parts) or len(said)
    if size > LARGEST:
        return Answer(error=TOO_LARGE.format(size=size, most=LARGEST))
    if answer.parts:
        return Answer([*answer.parts], parts=True)
    if said.lstrip().startswith(("{", "[")):
        try:
            return Answer(json_reader.loads(said))
        except ValueError:
            pass
    return Answer(said)


def _fragment(number: int, call: _Call) -> Mapping[str, object]:
    """A call, whole, as a stream of chat completions has it."""
    function = {"name": call.tool.key, "arguments": json.dumps(call.arguments, ensure_ascii=False)}
    return {"index": number, "id": call.id, "type": "function", "function": function}
