"""The text of one reply so far, for every client that asks for it, also later."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import groupby

from coderunner.errors import CodeRunnerError
from coderunner.hosts.proxy.openai_format import Outcome
from coderunner.hosts.proxy.response_stream import Delivery

SAY, THINK, CALL = "say", "think", "call"
GIVEN_UP = "The reply was stopped because its client disconnected; ask again."

Piece = tuple[str, str | Sequence[object]]
"""A kind, and its text or calls."""


class ReplyBroadcast:
    """Receives a reply while it is written, and passes it on to all followers."""

    def __init__(self, past: Iterable[Piece] = ()) -> None:
        """`past`: the earlier pieces of the reply."""
        self._past = list(past)
        self._followers: list[Delivery] = []
        self._ended = asyncio.Event()
        self._end: Outcome | CodeRunnerError | None = None
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

    async def say(self, text: str) -> None:
        """A piece of the reply."""
        await self._put((SAY, text))

    async def think(self, text: str) -> None:
        """A piece of the thought."""
        await self._put((THINK, text))

    async def call(self, calls: Sequence[object]) -> None:
        """Fragments of calls of the client's own tools."""
        await self._put((CALL, calls))

    def end(self, end: Outcome | CodeRunnerError | None) -> None:
        """Note that the reply has ended or failed; None: it was given up."""
        self._end = end
        self._past = _joined(self._past)
        self.size = sum(len(said) for _, said in self._past)
        self._ended.set()

    async def follow(self, delivery: Delivery) -> None:
        """Send all pieces so far, all that follow, and the end."""
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
        case (kind, str() as text):
            await (delivery.say(text) if kind == SAY else delivery.think(text))
        case (_, calls) if not isinstance(calls, str):
            await delivery.call(calls)


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """The same with adjacent pieces of one kind joined: a piece per token takes ten times the memory."""
    joined: list[Piece] = []
    for kind, group in groupby(pieces, key=lambda piece: piece[0]):
        if kind == CALL:
            joined += group
        else:
            joined.append((kind, "".join(str(said) for _, said in group)))
    return joined
