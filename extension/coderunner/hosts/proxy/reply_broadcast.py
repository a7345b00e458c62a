"""The text of one reply so far, for every client that asks for it, also later."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import cast

from coderunner.errors import CodeRunnerError
from coderunner.hosts.proxy.client_api.openai_format import Outcome
from coderunner.hosts.proxy.client_api.response_stream import Delivery
from coderunner.runner import Late, Part

SAY, THINK, RUN, END, CALL, PASS = "say", "think", "run", "end", "call", "pass"
SAID = {SAY: Part.TEXT, "thought": Part.THOUGHT, "code": Part.CODE, "result": Part.RESULT}
"""The kinds of what is said, and what it is."""
_KINDS = {part: kind for kind, part in SAID.items()}
GIVEN_UP = "The reply was stopped because its client disconnected; ask again."

Piece = tuple[str, str | Sequence[object]]
"""A kind, and its text, calls or event."""


@dataclass(slots=True)
class Written:
    """A reply as far as it was written."""

    pieces: list[str] = field(default_factory=list)
    """Its text, without thoughts, which clients do not send back."""
    calls: bool = False
    """It calls tools of the client, and so ends; their results come with the next request."""
    ran: bool = False
    """A block of it was run, or is running."""
    late: str = ""
    """Late results that were said before it."""
    cut_short: bool = False
    """Its last piece is our word that it ends because the proxy does."""
    reply: str = ""
    """Its text with thoughts and with the client's beginning of it, as of its last interruption."""
    going_on: list[Late] = field(default_factory=list)
    """Its blocks that run on after their deadline."""

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self.pieces)

    def leave_running(self, block: Late) -> None:
        """Note a block that runs on, until it ends."""
        self.going_on.append(block)
        block.settled.add_done_callback(lambda _: self.going_on.remove(block))

    def interrupt(self) -> None:
        """Stop what runs on of it: nobody waits for that any more."""
        for block in tuple(self.going_on):
            block.interrupt()


class ReplyBroadcast:
    """Receives a reply while it is written, and passes it on to all followers."""

    def __init__(self, past: Iterable[Piece] = ()) -> None:
        """`past`: the earlier pieces of the reply."""
        self._past = list(past)
        self._followers: list[Delivery] = []
        self._ended = asyncio.Event()
        self._end: Outcome | CodeRunnerError | None = None
        self.follows = 0
        """How many clients have followed it, now or before."""
        self.size = 0
        """Characters in memory, once it has ended."""

    @property
    def past(self) -> Sequence[Piece]:
        """All pieces so far."""
        return tuple(self._past)

    @property
    def ended(self) -> bool:
        """Whether the reply is over."""
        return self._ended.is_set()

    @property
    def followed(self) -> bool:
        """Whether it has followers now."""
        return bool(self._followers)

    async def say(self, text: str, part: Part = Part.TEXT) -> None:
        """A piece of the reply."""
        await self._put((_KINDS[part], text))

    async def think(self, text: str) -> None:
        """A piece of the thought."""
        await self._put((THINK, text))

    async def run(self, code: str) -> None:
        """The block that was said last runs, as this code."""
        await self._put((RUN, code))

    async def end_block(self, kept: Sequence[str], *, failed: bool) -> None:
        """The block has ended, and its result follows with what is kept of it."""
        await self._put((END, (failed, *kept)))

    async def call(self, calls: Sequence[object]) -> None:
        """Fragments of calls of the client's own tools."""
        await self._put((CALL, calls))

    async def pass_event(self, event: Mapping[str, object]) -> None:
        """An event of an endpoint that has the client's API."""
        await self._put((PASS, (event,)))

    def end(self, end: Outcome | CodeRunnerError | None) -> None:
        """Note that the reply has ended or failed; None: it was given up."""
        self._end = end
        self._past = _joined(self._past)
        self.size = sum(map(_size, self._past))
        self._ended.set()

    async def follow(self, delivery: Delivery) -> None:
        """Send all pieces so far, all that follow, and the end."""
        self.follows += 1
        past, at = self._past, 0
        while at < len(past):  # more may be added meanwhile
            await _tell(delivery, past[at])
            at += 1
        self._followers.append(delivery)
        try:
            await self._ended.wait()
        finally:
            self._followers.remove(delivery)
        if isinstance(self._end, Outcome):
            await delivery.finish(self._end)
        else:
            await delivery.fail(self._end or CodeRunnerError(GIVEN_UP))

    async def _put(self, piece: Piece) -> None:
        self._past.append(piece)
        for each in tuple(self._followers):
            await _tell(each, piece)


async def _tell(delivery: Delivery, piece: Piece) -> None:
    match piece:
        case (kind, str() as text) if kind in SAID:
            await delivery.say(text, SAID[kind])
        case (kind, str() as text):
            await (delivery.run(text) if kind == RUN else delivery.think(text))
        case (kind, several) if not isinstance(several, str):
            if kind == CALL:
                await delivery.call(several)
            elif kind == PASS:
                await delivery.pass_event(cast("Mapping[str, object]", several[0]))
            else:
                await delivery.end_block([str(each) for each in several[1:]], failed=bool(several[0]))


def _size(piece: Piece) -> int:
    """Its characters, about."""
    kind, said = piece
    return len(str(said)) if kind == PASS else len(said)


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """The same with adjacent pieces of one kind joined: a piece per token takes ten times the memory."""
    joined: list[Piece] = []
    for kind, group in groupby(pieces, key=lambda piece: piece[0]):
        if kind in (CALL, END, PASS):
            joined += group
        else:
            joined.append((kind, "".join(str(said) for _, said in group)))
    return joined
