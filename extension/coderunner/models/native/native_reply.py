"""One visible reply of an endpoint that has the client's API, over as many requests as it needs."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from coderunner.errors import EndpointFailed, ModelError
from coderunner.models.continuation.continued_reply import OFF, ON, ContinuedReply
from coderunner.models.continuation.reply_segment import Delta, ReplySegment
from coderunner.models.continuation.vision import looked_at, sees
from coderunner.models.endpoint.client import Client
from coderunner.models.endpoint.sse import Chunk
from coderunner.models.endpoint.token_usage import Tokens, Usage, guess
from coderunner.models.native.upstream_api import AUTO, UpstreamApi

NOTHING = Delta()

Passed = Mapping[str, object]
"""What is passed on whole: a block of a message, or an item of a response."""


@dataclass(frozen=True, slots=True)
class Round:
    """What the model said up to its code, with what was passed on, and the result."""

    said: str
    result: str
    passed: Sequence[tuple[int, Passed]] = ()
    """Each after so many characters of what was said."""
    pictures: Sequence[str] = ()
    """What the code showed, as data addresses."""


@dataclass(frozen=True, slots=True)
class Route:
    """How the API is asked."""

    path: str
    ends: Callable[[Chunk], bool]
    """Whether an event says that the reply has ended."""
    headers: Mapping[str, str]


class NativeStream(Protocol):
    """One request's share of a reply: events in, deltas out."""

    passed: list[tuple[int, Passed]]
    """What was passed on, each after so many characters of text."""
    finish_reason: str
    began: bool
    """A reply has begun, so the endpoint has the API."""

    @property
    def prompt(self) -> int:
        """Tokens of the prompt, as far as they were told."""

    @property
    def pieces(self) -> int:
        """Pieces that came: about as many tokens."""

    @property
    def tokens(self) -> Tokens | None:
        """The server's count; None where it was not told, since we have closed the stream."""

    def receive(self, events: Sequence[Chunk]) -> Iterator[Delta]:
        """Take events that came together."""

    def close(self) -> Delta:
        """The stream has ended."""

    def break_off(self) -> Delta:
        """The stream broke."""


class NativeReply(ABC):
    """Like `ContinuedReply`; `Delta.events` has what is the API's own and no text, as it came.

    `chat` makes the same reply of chat completions, where the endpoint turns out not to have the API.
    """

    prior = ""
    """The text with which the client has begun the reply."""

    def __init__(
        self,
        client: Client,
        upstream: UpstreamApi,
        route: Route,
        chat: Callable[[], ContinuedReply],
        *,
        vision: str = OFF,
    ) -> None:
        self._client, self._upstream, self._route, self._chat = client, upstream, route, chat
        self._shown = vision == ON or (vision == AUTO and sees(client.endpoint.model))
        self._rounds: list[Round] = []
        self._passed: list[tuple[int, Passed]] = []
        """What was passed on since the last result."""
        self._instead: ContinuedReply | None = None
        self._usage = Usage()
        self._reason = ""

    @property
    def usage(self) -> Usage:
        """What it has cost so far."""
        return self._instead.usage if self._instead else self._usage

    @property
    def finish_reason(self) -> str:
        """Why the last request ended, as chat completions say it."""
        return self._instead.finish_reason if self._instead else self._reason

    async def generate(
        self, reply: str = "", result: str = "", pictures: Sequence[bytes] = ()
    ) -> AsyncGenerator[Delta]:
        """Return the next segment of the reply: so far it is `reply` and ends with `result`, a text of ours.

        Closing the generator closes the request's connection. Raises a ModelError, or what `chat` does.
        """
        if self._instead is None:
            shown = await asyncio.to_thread(looked_at, pictures) if pictures and self._shown else ()
            self._receive(reply, result, shown)
            try:
                async with aclosing(self._native(reply, result)) as deltas:
                    async for delta in deltas:
                        yield delta
                return
            except ModelError as failure:
                if not self._upstream.missing(failure):
                    raise
            self._instead = self._chat()
        async with aclosing(self._instead.generate(reply, result, pictures)) as deltas:
            async for delta in deltas:
                self._upstream.note(there=False)  # it has chat completions, so that was no other failure
                yield delta

    @abstractmethod
    def _native(self, reply: str, result: str) -> AsyncGenerator[Delta]:
        """The next segment, in the API."""

    @abstractmethod
    def _stream(self, segment: ReplySegment) -> NativeStream:
        """What reads a request's answer."""

    def _told(self, delta: Delta) -> Delta:
        """The delta as it is to be told."""
        return delta

    def _guessed(self, body: Mapping[str, object]) -> int:
        """The tokens of a request's prompt, by its length."""
        return guess(body)

    async def _deltas(self, body: Mapping[str, object], segment: ReplySegment) -> AsyncGenerator[Delta]:
        """The deltas of one request."""
        stream, route = self._stream(segment), self._route
        try:
            async with self._client.stream(
                body, path=route.path, headers=route.headers, ends=route.ends
            ) as events:
                async for together in events:
                    for delta in stream.receive(together):
                        if stream.began:
                            self._upstream.note(there=True)
                        if segment.restarted:
                            return
                        if (told := self._told(delta)) != NOTHING:
                            yield told
                if (rest := stream.close()) != NOTHING:
                    yield rest
        except EndpointFailed:
            if not segment.restarted and (rest := stream.break_off()) != NOTHING:
                yield rest
            raise
        finally:
            # A request that was refused has cost nothing.
            if stream.prompt or stream.pieces or stream.tokens:
                guessed = 0 if stream.tokens else stream.prompt or self._guessed(body)
                self._usage = self._usage.plus(stream.tokens, pieces=stream.pieces, prompt=guessed)
            if not segment.restarted:
                self._passed, self._reason = stream.passed, stream.finish_reason

    def _receive(self, reply: str, result: str, pictures: Sequence[str]) -> None:
        """Note the round that `result` ended."""
        if not result:
            return
        said = self._after_begin(reply).removesuffix(result)
        before = "".join(each.said + each.result for each in self._rounds)
        if not said.startswith(before):  # the host has changed the reply: it is one round
            before, self._rounds, self._passed = "", [], []
        self._rounds.append(Round(said[len(before) :], result, tuple(self._passed), pictures))
        self._passed = []

    def _after_begin(self, reply: str) -> str:
        """The reply without what the client has begun it with."""
        return reply.removeprefix(self.prior)

    def _rest(self, reply: str) -> str:
        """What of the reply follows its rounds."""
        return self._after_begin(reply)[sum(len(each.said) + len(each.result) for each in self._rounds) :]
