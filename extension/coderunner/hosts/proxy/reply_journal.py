"""What was said of one reply so far, for whoever asks for it, also later."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import groupby

from coderunner.errors import CodeRunnerError
from coderunner.hosts.proxy.openai_format import Outcome
from coderunner.hosts.proxy.response_stream import Delivery

SAY, THINK, CALL = "say", "think", "call"
GIVEN_UP = "The reply was stopped because its client disconnected; ask again."

Piece = tuple[str, str | Sequence[object]]
"""What was said, and as what."""


class ReplyJournal:
    """Takes a reply while it is written, and passes it on to all who follow it."""

    def __init__(self, past: Iterable[Piece] = ()) -> None:
        """`past`: what was said of the reply before."""
        self._past = list(past)
        self._followers: list[Delivery] = []
        self._ended = asyncio.Event()
        self._end: Outcome | CodeRunnerError | None = None
        self.size = 0
        """Characters that it keeps, once it has ended."""

    @property
    def past(self) -> Sequence[Piece]:
        """All that was said so far."""
        return tuple(self._past)

    @property
    def ended(self) -> bool:
        """Whether there comes no more."""
        return self._ended.is_set()

    @property
    def followed(self) -> bool:
        """Whether anybody listens now."""
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
        """There comes no more: the reply has ended or failed; None: it was given up."""
        self._end = end
        self._past = _joined(self._past)
        self.size = sum(len(said) for _, said in self._past)
        self._ended.set()

    async def follow(self, delivery: Delivery) -> None:
        """Give all that was said, what is said from now on, and the end."""
        past, at = self._past, 0
        while at < len(past):  # it may grow meanwhile
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
    """The same in as few pieces as it has parts: each token by itself takes ten times its size."""
    joined: list[Piece] = []
    for kind, group in groupby(pieces, key=lambda piece: piece[0]):
        if kind == CALL:
            joined += group
        else:
            joined.append((kind, "".join(str(said) for _, said in group)))
    return joined
