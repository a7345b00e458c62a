"""One visible reply of an endpoint that has Anthropic's API, over as many requests as it needs."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

from coderunner.errors import EndpointFailed, ModelError
from coderunner.models.continuation.continued_reply import AUTO, BLIND, OFF, ON, REFUSALS, ContinuedReply
from coderunner.models.continuation.reply_segment import Delta, ReplySegment
from coderunner.models.continuation.strategies import STRATEGIES
from coderunner.models.continuation.vision import looked_at, sees
from coderunner.models.endpoint.client import Client
from coderunner.models.endpoint.token_usage import Usage, guess
from coderunner.models.messages.message_rounds import Round, as_begun, as_dialogue, noted
from coderunner.models.messages.message_stream import NOTHING, MessageStream, ends
from coderunner.models.messages.messages_request import Block, MessagesRequest
from coderunner.models.messages.upstream_routes import PATH, VERSION, UpstreamRoutes

LEAST_THOUGHT = 1024
"""The smallest budget of tokens for thinking that the API takes."""
THINKING = "thinking"
START = "message_start"


class NativeReply:
    """Like `ContinuedReply`; `Delta.events` has the API's own blocks that are no text, as they came.

    `chat` makes the same reply of chat completions, where the endpoint turns out not to have the API.
    """

    def __init__(
        self,
        client: Client,
        request: MessagesRequest,
        routes: UpstreamRoutes,
        chat: Callable[[], ContinuedReply],
        *,
        continuation: str = AUTO,
        vision: str = OFF,
    ) -> None:
        self._client, self._request, self._routes, self._chat = client, request, routes, chat
        key = client.endpoint.key.reveal()
        self._headers = {
            "anthropic-version": VERSION,
            **request.headers,
            **({"x-api-key": key} if key else {}),
        }
        named = STRATEGIES.get(continuation)
        self._goes_on = named.prefill if named else None
        """Whether the model goes on with a message that it has begun; None where that is not known."""
        self._shown = vision == ON or (vision == AUTO and sees(client.endpoint.model))
        self._rounds: list[Round] = []
        self._blocks: list[tuple[int, Block]] = []
        """Those that were passed on since the last result."""
        self._instead: ContinuedReply | None = None
        self._usage = Usage()
        self._reason = ""
        self._began = False

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
                if not self._routes.missing(failure):
                    raise
            self._instead = self._chat()
        async with aclosing(self._instead.generate(reply, result, pictures)) as deltas:
            async for delta in deltas:
                self._routes.note(there=False)  # it has chat completions, so that was no other failure
                yield delta

    async def _native(self, reply: str, result: str) -> AsyncGenerator[Delta]:
        self._reason = ""
        ours = bool(reply.strip()) and reply != self._request.prior
        if ours and self._goes_on is None:
            self._goes_on = await self._routes.goes_on(self._client, self._headers)
        while (left := self._left()) != 0:
            begins = bool(reply.strip()) and (not ours or self._prefills)
            body = self._body(reply, left, ours=ours)
            segment = ReplySegment(
                reply if begins else "", own_line=bool(result) and not reply.endswith("\n")
            )
            try:
                async with aclosing(self._deltas(body, segment)) as deltas:
                    async for delta in deltas:
                        yield delta
            except EndpointFailed as failure:
                if not self._mends(failure, begins=begins):
                    raise
                ours = True
            else:
                if not segment.restarted:
                    return
                ours, self._goes_on = True, False
        self._reason = "length"

    async def _deltas(self, body: Mapping[str, object], segment: ReplySegment) -> AsyncGenerator[Delta]:
        stream = MessageStream(segment)
        try:
            async with self._client.stream(body, path=PATH, headers=self._headers, ends=ends) as events:
                async for together in events:
                    for delta in stream.receive(together):
                        if stream.began:
                            self._routes.note(there=True)
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
                prompt = 0 if stream.tokens else stream.prompt or guess(body)
                self._usage = self._usage.plus(stream.tokens, pieces=stream.pieces, prompt=prompt)
            if not segment.restarted:
                self._blocks, self._reason = stream.blocks, stream.finish_reason

    def _told(self, delta: Delta) -> Delta:
        """The delta without the start of a message that goes on: the client's has begun."""
        if not delta.events or delta.events[0].get("type") != START:
            return delta
        began, self._began = self._began, True
        return NOTHING if began else delta

    def _receive(self, reply: str, result: str, pictures: Sequence[str]) -> None:
        """Note the round that `result` ended."""
        if not result:
            return
        said = self._after_begin(reply).removesuffix(result)
        before = "".join(each.said + each.result for each in self._rounds)
        if not said.startswith(before):  # the host has changed the reply: it is one round
            before, self._rounds, self._blocks = "", [], []
        self._rounds.append(Round(said[len(before) :], result, tuple(self._blocks), pictures))
        self._blocks = []

    def _after_begin(self, reply: str) -> str:
        """The reply without what the client has begun it with, which its blocks say."""
        return reply.removeprefix(self._request.prior)

    @property
    def _prefills(self) -> bool:
        return bool(self._goes_on) and not any(each.pictures for each in self._rounds)

    def _body(self, reply: str, left: int | None, *, ours: bool) -> Mapping[str, object]:
        body = {**self._request.body, **_budget(self._request.body, left)}
        base, begun = self._request.messages, self._request.begun
        said = self._after_begin(reply)
        rest = said[sum(len(each.said) + len(each.result) for each in self._rounds) :]
        if not ours or self._prefills:
            return {**body, "messages": as_begun(base, begun, self._rounds, rest)}
        told = as_dialogue(base, begun, self._rounds, rest)
        return {**body, "system": noted(body.get("system")), "messages": told}

    def _mends(self, failure: EndpointFailed, *, begins: bool) -> bool:
        """Whether another request may do better: without pictures, or with the result as a message."""
        if failure.status in BLIND and any(each.pictures for each in self._rounds):
            self._shown = False
            self._rounds = [replace(each, pictures=()) for each in self._rounds]
            return True
        if begins and failure.status in REFUSALS:
            self._goes_on = False
            self._routes.note_way(self._client.endpoint.model, goes_on=False)
            return True
        return False

    def _left(self) -> int | None:
        """How many tokens the reply may still have; None without a limit."""
        budget = self._request.body.get("max_tokens")
        return max(0, budget - self._usage.completion) if isinstance(budget, int) else None


def _budget(body: Mapping[str, object], left: int | None) -> Mapping[str, object]:
    """The limit of a request, and of its thought, which has to be smaller."""
    if left is None:
        return {}
    thinking = body.get(THINKING)
    budget = thinking.get("budget_tokens") if isinstance(thinking, Mapping) else None
    if not isinstance(thinking, Mapping) or not isinstance(budget, int) or budget < left:
        return {"max_tokens": left}
    thought = {**thinking, "budget_tokens": left - 1} if left > LEAST_THOUGHT else {"type": "disabled"}
    return {"max_tokens": left, THINKING: thought}
