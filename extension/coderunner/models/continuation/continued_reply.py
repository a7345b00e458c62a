"""One visible reply of a model over as many requests as it needs."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from coderunner.errors import EndpointFailed, SettingsError
from coderunner.languages import PYTHON, Language
from coderunner.models.continuation.chat_template import go_on, prompt
from coderunner.models.continuation.detection import choose
from coderunner.models.continuation.reply_segment import Delta, ReplySegment
from coderunner.models.continuation.strategies import (
    NEXT,
    RAW,
    STRATEGIES,
    TRAIL,
    Message,
    Round,
    Strategy,
    hosted,
    with_pictures,
)
from coderunner.models.continuation.strategy_cache import Choice, StrategyCache
from coderunner.models.continuation.tool_calls import Call
from coderunner.models.continuation.vision import is_about_images, looked_at, sees, without_images
from coderunner.models.endpoint import error_messages
from coderunner.models.endpoint.chunks import by_lines, piece
from coderunner.models.endpoint.client import Client, Endpoint
from coderunner.models.endpoint.token_usage import Usage, guess

AUTO, ON, OFF = "auto", "on", "off"
BUDGETS = ("max_completion_tokens", "max_tokens")
"""OpenAI's newer name first; a client that sends both means the newer one."""

REFUSALS = frozenset({400, 404, 422, 500})
"""How servers answer a continuation that they do not know: 400 and 422 say so, 404 where DeepSeek's beta
address is not there, 500 from chat templates that raise."""

DEMO = "demo"

METERS: Mapping[str, Mapping[str, object]] = {
    DEMO: {"stream_options": {"include_usage": True, "continuous_usage_stats": True}},
    "vllm": {"stream_options": {"include_usage": True, "continuous_usage_stats": True}},
    "sglang": {"stream_options": {"include_usage": True, "continuous_usage_stats": True}},
    "llama.cpp": {"stream_options": {"include_usage": True}, "timings_per_token": True},
}
"""How to have tokens counted in each chunk: the count at the end is lost where we close the stream early.
Only for servers that are known to take it."""

METER: Mapping[str, object] = {"stream_options": {"include_usage": True}}
UNMETERED = frozenset({"api.mistral.ai"})
"""Refuses fields that it does not know, and counts without being asked."""

RESTARTED = "it started its reply over"
UNREADABLE = "it made a tool call that cannot be parsed"
UNSHOWN = "its server does not show the prompt"
WHIMS = frozenset({RESTARTED, UNREADABLE})
"""What a model may do once and never again."""
NAMED_THERE = {"max_completion_tokens": "max_tokens"}
"""Options that have another name where a prompt is completed."""
THEIRS = ("tools", "functions", "response_format")
"""Options with which a client asks for more than text: they leave no place for a tool or a prompt of ours."""
BLIND = REFUSALS | {413, 415}
"""How servers answer a picture that their model cannot look at."""
NOTHING = Delta()


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What one request says, and the text that the server may repeat before it goes on."""

    body: Mapping[str, object]
    path: str = "chat/completions"
    continues: bool = False
    prefilled: str = ""
    tools: bool = False
    """The model has our tool."""


class ContinuedReply:
    """One visible assistant reply; `generate` makes one request for each segment of it.

    `options` are fields of the request body as they are (`temperature`, `stop`, …); `max_tokens` or
    `max_completion_tokens` in them is a budget over all requests. `continuation` is `auto` or the name of a
    strategy. `memory` is shared by all replies of a program, so that only the first one has to find out.
    `vision` says whether the model is shown the pictures of results: `on`, `off`, or `auto` by its name.
    `language` is what the kernel speaks, for the tool of a model that calls one.
    """

    def __init__(
        self,
        client: Client,
        messages: Sequence[Message],
        *,
        options: Mapping[str, object] | None = None,
        memory: StrategyCache | None = None,
        continuation: str = AUTO,
        vision: str = OFF,
        language: Language = PYTHON,
    ) -> None:
        self._client = client
        self._base = list(messages)
        self._options = dict(options or {})
        self._memory = memory or StrategyCache()
        self._choice = _known(client.endpoint, self._memory, continuation)
        self._learns = continuation == AUTO
        self._metered = client.endpoint.host not in UNMETERED
        self._vision, self._language = vision, language
        self._rounds: list[Round] = []
        self._attached: Mapping[int, Sequence[str]] = {}
        self._reasoning = ""
        self._call: Call | None = None
        self._prompt: str | None = None
        self.usage = Usage()
        self.finish_reason = ""
        """Why the last request ended: `stop`, `length`, … ; "" while it runs or where we closed it."""

    @property
    def choice(self) -> Choice | None:
        """How the reply is continued and why so; None as long as nothing had to be found out."""
        return self._choice

    @property
    def sees(self) -> bool:
        """Whether the model is shown pictures, as far as is known."""
        wanted = self._vision == ON or (self._vision == AUTO and sees(self._client.endpoint.model))
        return wanted and not self._memory.is_blind(self._client.endpoint)

    def attach(self, pictures: Mapping[int, Sequence[str]]) -> None:
        """Show the model pictures with messages: data addresses by the place of the message."""
        self._attached = pictures

    async def generate(
        self, reply: str = "", result: str = "", pictures: Sequence[bytes] = ()
    ) -> AsyncGenerator[Delta]:
        """Return the next segment of the reply: so far it is `reply` and ends with `result`, a text of ours.

        `pictures` are images that the code showed, as files, for a model that sees.

        Text of ours never comes back in a delta, whatever the server repeats. Closing the generator closes
        the request's connection at once. Raises `EndpointUnreachable`, `EndpointRefused` or
        `EndpointFailed`.
        """
        seen = await asyncio.to_thread(looked_at, pictures) if pictures and self.sees else ()
        self._receive(reply, result, seen)
        self.finish_reason = ""
        if reply.strip() and not self._choice:
            self._choice = self._memory.recall(self._client.endpoint) or await choose(self._client)
        while self._left() != 0:
            request = await self._request(reply)
            own_line = bool(result) and not reply.endswith("\n")
            segment = ReplySegment(
                request.prefilled, own_line=own_line, tools=request.tools, language=self._language
            )
            try:
                async with aclosing(self._deltas(request, segment)) as deltas:
                    async for delta in deltas:
                        yield delta
            except EndpointFailed as failure:
                if not self._mends(failure, request):
                    raise
            else:
                if not (segment.restarted or segment.unreadable):
                    return
                self._choose_next(RESTARTED if segment.restarted else UNREADABLE)
        self.finish_reason = "length"

    def _mends(self, failure: EndpointFailed, request: ModelRequest) -> bool:
        """Whether another request may do better: without what the server refused, or by another way."""
        if failure.status in BLIND and (self._pictured or self._attached):
            # It may be for another reason. But a reply is worth more than a picture in it.
            self._memory.note_blind(self._client.endpoint)
            self._rounds = [replace(each, pictures=()) for each in self._rounds]
            self._attached = {}
            return True
        if failure.status in BLIND and is_about_images(str(failure)):
            # Those of the client, which are asked for again with the next reply: they may be meant.
            bare = without_images(self._base)
            if bare != self._base:
                self._base = bare
                return True
        if self._metered and failure.status in REFUSALS and "stream_options" in str(failure):
            self._metered = False
            return True
        if (request.prefilled or request.tools) and failure.status in REFUSALS:
            what = "a tool" if request.tools else "to continue a reply"
            self._choose_next(f"it refused {what} ({failure.status})")
            return True
        return False

    async def _deltas(self, request: ModelRequest, segment: ReplySegment) -> AsyncGenerator[Delta]:
        """Return what one request says; ends early, and closes it, where the model began the reply anew."""
        async with self._client.stream(request.body, path=request.path) as chunks:
            try:
                async for together in chunks:
                    for pieces in by_lines([piece(chunk) for chunk in together]):
                        delta = segment.receive(pieces)
                        if segment.restarted:
                            return
                        if delta != NOTHING:
                            self._learn(request, delta)
                            yield delta
                rest = segment.close()
                self._call = segment.call
                if rest != NOTHING:
                    self._learn(request, rest)
                    yield rest
                if segment.finish_reason in error_messages.FAILED:
                    endpoint = self._client.endpoint
                    raise error_messages.gave_up(segment.finish_reason, endpoint.url, key=endpoint.key)
            except EndpointFailed:
                if not segment.restarted and (rest := segment.break_off()) != NOTHING:
                    yield rest
                raise
            finally:
                self._account(segment, request)

    def _account(self, segment: ReplySegment, request: ModelRequest) -> None:
        prompt = 0 if segment.tokens else guess(request.body)
        self.usage = self.usage.plus(segment.tokens, pieces=segment.pieces, prompt=prompt)
        if not segment.restarted:
            self._reasoning += segment.reasoning
            self.finish_reason = segment.finish_reason

    def _learn(self, request: ModelRequest, delta: Delta) -> None:
        """Remember what has worked, once it has."""
        choice, endpoint = self._choice, self._client.endpoint
        if not (choice and self._learns and request.continues and delta.content):
            return
        if self._strategy is not choice.strategy:
            return  # it has gone on in another way, for the sake of what only that can tell
        # A model's whim teaches nothing where another way has worked before, and nothing for ever.
        # The demo has another address tomorrow.
        whim = choice.reason in WHIMS
        if not (whim and self._memory.recall(endpoint)):
            self._memory.remember(endpoint, choice, durable=not whim and choice.kind != DEMO)

    def _choose_next(self, reason: str) -> None:
        self._choice = Choice(NEXT, reason, self._kind)

    @property
    def _kind(self) -> str:
        return self._choice.kind if self._choice else ""

    def _receive(self, reply: str, result: str, pictures: Sequence[str]) -> None:
        """Note the round that `result` ended: what stands between it and the result before it."""
        if not result:
            return
        said = reply.removesuffix(result)
        before = "".join(each.said + each.result for each in self._rounds)
        if not said.startswith(before):  # the host changed the reply under us: take it as one round
            before, self._rounds = "", []
        said = said[len(before) :]
        call = self._call if self._call and said.endswith(self._call.block) else None
        self._rounds.append(Round(said, result, call, pictures))
        self._call = None

    def _left(self) -> int | None:
        """Return how many tokens the reply may still have; None without a limit."""
        budget = next((self._options[name] for name in self._budgets()), None)
        return max(0, budget - self.usage.completion) if isinstance(budget, int) else None

    async def _request(self, reply: str) -> ModelRequest:
        strategy = self._strategy
        body = {**self._options, **self._meter(), **self._budget()}
        if not reply.strip():
            its = strategy.offered(self._language) if strategy.tools else {}
            first = strategy.first(self._messages, self._language)
            return ModelRequest({**body, **its, "messages": first}, tools=strategy.tools)
        if strategy is RAW:
            self._prompt = self._prompt or await prompt(self._client, self._base)
            if self._prompt:
                whole = go_on(self._prompt, reply, self._reasoning)
                named = {NAMED_THERE.get(name, name): value for name, value in body.items()}
                return ModelRequest({**named, "prompt": whole}, RAW.path, continues=True, prefilled=reply)
            self._choose_next(UNSHOWN)
            strategy = NEXT
        messages = strategy.again(
            self._messages,
            reply=reply,
            rounds=self._rounds,
            reasoning=self._reasoning,
            language=self._language,
        )
        return ModelRequest(
            {**body, **strategy.offered(self._language), "messages": messages},
            path=strategy.path,
            continues=True,
            prefilled=reply if strategy.prefill else "",
            tools=strategy.tools,
        )

    @property
    def _messages(self) -> Sequence[Message]:
        """What was said before, with the pictures that were attached to it."""
        return [
            with_pictures(message, self._attached.get(place, ())) for place, message in enumerate(self._base)
        ]

    @property
    def _pictured(self) -> bool:
        return any(each.pictures for each in self._rounds)

    @property
    def _strategy(self) -> Strategy:
        strategy = self._choice.strategy if self._choice else TRAIL
        if self._pictured and not strategy.tools:
            return NEXT
        if self._attached and strategy is RAW:  # a prompt of text holds none
            return NEXT
        theirs = any(self._options.get(name) for name in THEIRS)
        return NEXT if theirs and (strategy.tools or strategy is RAW) else strategy

    def _meter(self) -> Mapping[str, object]:
        return METERS.get(self._kind, METER) if self._metered else {}

    def _budget(self) -> dict[str, object]:
        left = self._left()
        return {} if left is None else dict.fromkeys(self._budgets(), left)

    def _budgets(self) -> list[str]:
        """The names by which the client has set one; many send the other as null."""
        return [name for name in BUDGETS if isinstance(self._options.get(name), int)]


def _known(endpoint: Endpoint, memory: StrategyCache, continuation: str) -> Choice | None:
    """Return the choice that needs no question to anybody."""
    if continuation != AUTO:
        return Choice(_named(continuation), "set in the settings")
    if remembered := memory.recall(endpoint):
        return remembered
    strategy = hosted(endpoint.host)
    return Choice(strategy, f"{endpoint.host} is known", "hosted") if strategy else None


def _named(continuation: str) -> Strategy:
    if strategy := STRATEGIES.get(continuation):
        return strategy
    names = ", ".join([AUTO, *STRATEGIES])
    message = f"unknown continuation {continuation!r}; use one of: {names}"
    raise SettingsError(message)
