"""The calls of one cell: each is made once, with consent, within limits, and answered. In the I/O loop.

The kernel sends a call again until it has the answer: what it calls once is found by the call's id, and an
answer is kept until the kernel says that it has it. So a connection that is lost loses nothing, and no tool
is called twice.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from coderunner.errors import NotAnswered
from coderunner.kernel.protocol.messages import Json, Message
from coderunner.kernel.tools.call_messages import ToolCall, answer_content, call_of, in_words, recorded
from coderunner.outputs import MimeBundle, Question
from coderunner.secret_value import Secret
from coderunner.tools.answer import Answer
from coderunner.tools.tool import Tool
from coderunner.tools.toolbox import LentTools, Offer, Toolbox, with_lent

ONCE, ALWAYS, REFUSE = "Allow once", "Allow for this chat", "Refuse"
UNHEARD = 1.0
"""Seconds after which an answer that the kernel has not got, and asks for, is sent again."""
MOST_REFUSED = 100
"""Calls beyond the limit that are told so; what comes then is no program that reads it."""


class Clock(Protocol):
    """The time that a cell may take."""

    def paused(self) -> AbstractContextManager[None]:
        """A time that does not count."""


class CallingCell(Protocol):
    """What a cell's calls need of it."""

    async def reached(self) -> None:
        """Return while there is a connection to the kernel."""

    @property
    def clock(self) -> Clock:
        """Its time."""

    @property
    def asks_people(self) -> bool:
        """A person can be asked."""

    def keep(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Do something until the cell ends."""

    def consult(self, question: Question | None) -> None:
        """Ask a person; None: that is over. Meanwhile no time of the cell passes."""

    def show(self, data: MimeBundle, mark: str) -> None:
        """Add to its outputs, in place of what has the same mark."""


@dataclass(slots=True)
class ChatTools:
    """The tools of one conversation."""

    toolbox: Toolbox
    conversation: str
    lent: LentTools | None = None
    """Those that its client has; a block keeps what was lent when it began."""

    async def offer(self) -> Offer:
        """What the next block can call."""
        return with_lent(await self.toolbox.offer(), self.lent)

    async def words(self) -> str:
        """What a model is told of them."""
        return await self.toolbox.words(self.lent)

    def allowed(self, tool: Tool) -> bool:
        """Whether its code may call a tool without asking."""
        return self.toolbox.allowed(self.conversation, tool)

    def allow(self, tool: Tool) -> None:
        """Have it do so from now on."""
        self.toolbox.allow(self.conversation, tool)


@dataclass(slots=True, eq=False)
class _Made:
    """A call that the kernel has made."""

    mark: str = field(default_factory=lambda: secrets.token_hex(8))
    """Under which it stands in the cell's outputs; the kernel does not know it."""
    work: "asyncio.Task[None] | None" = None
    content: Json | None = None
    """The answer until the kernel has it."""
    sent: float = 0.0
    sending: "asyncio.Task[None] | None" = None


@dataclass(slots=True)
class _Asked:
    """What a person is asked."""

    question: Question
    answer: "asyncio.Future[str]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class CellCalls:
    """Those of one cell."""

    def __init__(
        self,
        tools: ChatTools,
        request: str,
        cell: CallingCell,
        tell: Callable[[Json], Awaitable[object]],
    ) -> None:
        """`request`: the id of the cell's request. `tell` gives the kernel an answer; raises NotAnswered."""
        self._tools, self._toolbox, self._lent = tools, tools.toolbox, tools.lent
        self._request, self._cell, self._tell = request, cell, tell
        self._made: dict[str, _Made] = {}
        self._asked: _Asked | None = None
        self._questions = 0
        self._turn = asyncio.Lock()

    def receive(self, message: Message) -> None:
        """Take a message of the kernel, whatever it is."""
        if message.parent != self._request or (call := call_of(message)) is None:
            return
        if isinstance(call, str):
            self._give_up(call)
        elif (made := self._made.get(call.id)) is not None:
            self._send_again(made)
        elif len(self._made) < self._toolbox.most + MOST_REFUSED:
            within = len(self._made) < self._toolbox.most
            made = self._made[call.id] = _Made()
            made.work = self._cell.keep(self._make(call, made, within=within))

    def answer(self, question: str, answer: Secret) -> bool:
        """Take a person's answer; False where that was not asked here."""
        asked = self._asked
        if asked is None or asked.question.id != question:
            return False
        if not asked.answer.done():
            asked.answer.set_result(answer.reveal())
        return True

    async def _make(self, call: ToolCall, made: _Made, *, within: bool) -> None:
        arguments, answer = call.read(), None
        if not within:
            answer = Answer(
                error=f"a block may call tools {self._toolbox.most} times (setting max_tool_calls)"
            )
        elif arguments is None:
            answer = Answer(error="the arguments are no JSON object, or larger than 1 MB")
        else:
            # Also where it is stopped, the record says that it was made.
            self._cell.show(recorded(call, arguments), made.mark)
            tool, answer, took = await self._called(call, arguments)
            self._cell.show(recorded(call, arguments, tool, answer, took), made.mark)
        made.content = answer_content(call.id, answer)
        self._send_again(made)

    async def _called(
        self, call: ToolCall, arguments: dict[str, object]
    ) -> tuple[Tool | None, Answer, float]:
        """The tool, what came of the call, and the seconds that the tool took."""
        found = with_lent(await self._toolbox.offer(), self._lent).find(call.tool)
        if isinstance(found, Answer):
            return None, found, 0.0
        # A client looks at arguments itself; to check its schemas here could take for ever.
        if found.server and (wrong := await self._toolbox.wrong(found, arguments, len(call.arguments))):
            return found, Answer(error=wrong), 0.0
        if refused := await self._refused(found, arguments):
            return found, Answer(error=refused), 0.0
        began = time.monotonic()
        if found.server or self._lent is None:
            answer = await self._toolbox.call(found, arguments)
        else:
            with self._cell.clock.paused():
                answer = await self._lent.call(found, arguments)
        return found, answer, time.monotonic() - began

    async def _refused(self, tool: Tool, arguments: dict[str, object]) -> str:
        """Why the tool may not be called, as a sentence; empty where it may. A client decides on its own."""
        if not tool.server or self._tools.allowed(tool):
            return ""
        if not self._cell.asks_people:
            return f"{tool.name} needs consent, and nobody can be asked here (setting tools_approve)"
        async with self._turn:
            if self._tools.allowed(tool):
                return ""
            said = await self._ask(tool, arguments)
        if said == ALWAYS:
            self._tools.allow(tool)
        return "" if said in (ONCE, ALWAYS) else f"the user did not allow {tool.name}"

    async def _ask(self, tool: Tool, arguments: dict[str, object]) -> str:
        self._questions += 1
        identity = f"{self._request}-tool-{self._questions}"
        prompt = f"Allow this block to call {in_words(tool.name, arguments)} of the server {tool.server}?"
        self._asked = _Asked(Question(identity, prompt, choices=(ONCE, ALWAYS, REFUSE)))
        try:
            self._cell.consult(self._asked.question)
            return await self._asked.answer
        finally:
            self._asked = None
            self._cell.consult(None)

    # --- answers ----------------------------------------------------------------------------------

    def _send_again(self, made: _Made) -> None:
        """Send the answer, if it is there and not just on its way."""
        if made.content is None or (made.sending is not None and time.monotonic() < made.sent + UNHEARD):
            return
        if made.sending is not None:
            made.sending.cancel()
        made.sent = time.monotonic()
        made.sending = self._cell.keep(self._send(made))

    async def _send(self, made: _Made) -> None:
        await self._cell.reached()
        if made.content is None:
            return
        with suppress(NotAnswered):  # then the kernel asks for it again
            await self._tell(made.content)
            made.content = None

    def _give_up(self, call: str) -> None:
        made = self._made.get(call)
        if made is not None and made.work is not None and not made.work.done():
            made.work.cancel()
