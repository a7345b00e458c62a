"""One visible reply of an endpoint that has Anthropic's API, over as many requests as it needs."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace

from coderunner.errors import EndpointFailed
from coderunner.models.continuation.continued_reply import BLIND, OFF, REFUSALS, ContinuedReply
from coderunner.models.continuation.reply_segment import Delta, ReplySegment
from coderunner.models.continuation.strategies import STRATEGIES
from coderunner.models.endpoint.client import Client
from coderunner.models.messages.message_rounds import as_begun, as_dialogue, noted
from coderunner.models.messages.message_stream import MessageStream, ends
from coderunner.models.messages.messages_request import MessagesRequest
from coderunner.models.messages.messages_upstream import PATH, VERSION, MessagesUpstream
from coderunner.models.native.native_reply import NOTHING, NativeReply, Route
from coderunner.models.native.upstream_api import AUTO

LEAST_THOUGHT = 1024
"""The smallest budget of tokens for thinking that the API takes."""
THINKING = "thinking"
START = "message_start"


class MessagesReply(NativeReply):
    """`Delta.events` has the blocks that are no text."""

    def __init__(
        self,
        client: Client,
        request: MessagesRequest,
        upstream: MessagesUpstream,
        chat: Callable[[], ContinuedReply],
        *,
        continuation: str = AUTO,
        vision: str = OFF,
    ) -> None:
        key = client.endpoint.key.reveal()
        headers = {
            "anthropic-version": VERSION,
            **request.headers,
            **({"x-api-key": key} if key else {}),
        }
        super().__init__(client, upstream, Route(PATH, ends, headers), chat, vision=vision)
        self._request, self._ways = request, upstream
        self.prior = request.prior
        named = STRATEGIES.get(continuation)
        self._goes_on = named.prefill if named else None
        """Whether the model goes on with a message that it has begun; None where that is not known."""
        self._began = False

    async def _native(self, reply: str, result: str) -> AsyncGenerator[Delta]:
        self._reason = ""
        ours = bool(reply.strip()) and reply != self.prior
        if ours and self._goes_on is None:
            self._goes_on = await self._ways.goes_on(self._client, self._route.headers)
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

    def _stream(self, segment: ReplySegment) -> MessageStream:
        return MessageStream(segment)

    def _told(self, delta: Delta) -> Delta:
        """The delta without the start of a message that goes on: the client's has begun."""
        if not delta.events or delta.events[0].get("type") != START:
            return delta
        began, self._began = self._began, True
        return NOTHING if began else delta

    @property
    def _prefills(self) -> bool:
        return bool(self._goes_on) and not any(each.pictures for each in self._rounds)

    def _body(self, reply: str, left: int | None, *, ours: bool) -> Mapping[str, object]:
        body = {**self._request.body, **_budget(self._request.body, left)}
        base, begun = self._request.messages, self._request.begun
        rest = self._rest(reply)
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
            self._ways.note_way(self._client.endpoint.model, goes_on=False)
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
