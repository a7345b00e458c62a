"""One visible reply of an endpoint that has the Responses API, over as many requests as it needs."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

from coderunner.errors import EndpointFailed
from coderunner.models.continuation.continued_reply import BLIND, OFF, ContinuedReply
from coderunner.models.continuation.reply_segment import Delta, ReplySegment
from coderunner.models.endpoint.client import Client
from coderunner.models.endpoint.token_usage import guess
from coderunner.models.native.native_reply import NativeReply, Route
from coderunner.models.responses.response_rounds import as_dialogue, noted
from coderunner.models.responses.response_stream import ResponseStream, ends
from coderunner.models.responses.responses_request import ResponsesRequest
from coderunner.models.responses.responses_upstream import ResponsesUpstream

PATH = "responses"
SEALED = "reasoning.encrypted_content"
"""Asks for thoughts in a form that can be given back: nothing is stored at the endpoint."""
UNKNOWING = frozenset({400, 422})
"""How servers answer a field that they do not take."""
LEAST = 16
"""The smallest limit of tokens that OpenAI takes."""


class ResponsesReply(NativeReply):
    """`Delta.events` has the items that are no messages."""

    def __init__(
        self,
        client: Client,
        request: ResponsesRequest,
        upstream: ResponsesUpstream,
        chat: Callable[[], ContinuedReply],
        *,
        vision: str = OFF,
    ) -> None:
        super().__init__(client, upstream, Route(PATH, ends, {}), chat, vision=vision)
        self._request, self._api = request, upstream
        included = request.body.get("include")
        self._included = list(included) if isinstance(included, Sequence) else []
        self._seals = SEALED not in self._included and upstream.seals(client.endpoint.model)

    async def _native(self, reply: str, result: str) -> AsyncGenerator[Delta]:
        self._reason, unsealed = "", False
        while self._affords():
            segment = ReplySegment(own_line=bool(result) and not reply.endswith("\n"))
            body, sealed = self._body(reply), self._seals
            try:
                async with aclosing(self._deltas(body, segment)) as deltas:
                    async for delta in deltas:
                        yield delta
            except EndpointFailed as failure:
                if not self._mends(failure):
                    raise
                unsealed = unsealed or sealed is not self._seals
            else:
                if unsealed:
                    self._api.note_unsealed(self._client.endpoint.model)
                return
        self._reason = "length"

    def _stream(self, segment: ReplySegment) -> ResponseStream:
        return ResponseStream(segment)

    def _body(self, reply: str) -> Mapping[str, object]:
        body, left = self._request.body, self._left()
        include = [*self._included, *([SEALED] if self._seals else [])]
        return {
            **body,
            **({"include": include} if include else {}),
            **({"max_output_tokens": left} if left is not None else {}),
            "store": False,
            # The same from the first request on: endpoints cache what requests begin with.
            "instructions": noted(body.get("instructions")),
            "input": as_dialogue(self._request.items, self._rounds, self._rest(reply)),
        }

    def _guessed(self, body: Mapping[str, object]) -> int:
        return guess({"messages": body.get("input"), "instructions": body.get("instructions")})

    def _mends(self, failure: EndpointFailed) -> bool:
        """Whether another request may do better: without pictures, or without what we alone ask for."""
        if failure.status in BLIND and any(each.pictures for each in self._rounds):
            self._shown = False
            self._rounds = [replace(each, pictures=()) for each in self._rounds]
            return True
        if self._seals and failure.status in UNKNOWING:
            self._seals = False
            return True
        return False

    def _left(self) -> int | None:
        """How many tokens the reply may still have; None without a limit."""
        budget = self._request.body.get("max_output_tokens")
        return max(0, budget - self._usage.completion) if isinstance(budget, int) else None

    def _affords(self) -> bool:
        """Whether there are tokens left for another request; the first one is the client's own."""
        left = self._left()
        return left is None or left >= LEAST or not self._usage.calls
