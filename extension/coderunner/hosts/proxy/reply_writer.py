"""How a reply is written: the endpoint's model, the conversation's kernel, and the client between them."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from coderunner.endings import COMPLETE, how_a_reply_ended
from coderunner.hosts.proxy.chat_request import ChatRequest, Message
from coderunner.hosts.proxy.image_links import for_the_model
from coderunner.hosts.proxy.openai_format import Outcome
from coderunner.hosts.proxy.response_stream import Told
from coderunner.models.continuation.continued_reply import ContinuedReply
from coderunner.models.continuation.strategy_cache import StrategyCache
from coderunner.models.endpoint.client import Client
from coderunner.runner import (
    Ended,
    Event,
    Finish,
    Generate,
    Part,
    RecordedRuns,
    Records,
    ReplyBudget,
    Result,
    RunOptions,
    Say,
    Sessions,
    Started,
    Turn,
    converse,
    late_words,
    location_of,
    pictures,
)
from coderunner.settings.settings import Settings
from coderunner.system_prompt import SYSTEM_PROMPT
from coderunner.text.surrogates import readable

OFFICIAL: Mapping[str, str] = {
    **dict.fromkeys(COMPLETE, "stop"),
    **dict.fromkeys(("tool_calls", "function_call"), "stop"),
    **dict.fromkeys(("max_tokens", "model_length"), "length"),
    **dict.fromkeys(("safety", "sensitive", "recitation", "prohibited_content"), "content_filter"),
}
"""Other servers' reasons to end: Mistral's, Zhipu's and Google's among them."""

Keep = Callable[[Result], Sequence[str]]
"""Keeps the pictures of a result; gives Markdown for each."""


@dataclass(slots=True)
class Written:
    """A reply as far as it was written; whoever hangs up has read this."""

    pieces: list[str] = field(default_factory=list)
    """Of its text, without its thoughts, which clients do not send back."""
    calls: bool = False
    """It calls tools of the client's, and so ends; what they give comes with the next request."""
    ran: bool = False
    """A block of it has been run, or runs."""
    late: str = ""
    """What had come late and was said before it."""
    reply: str = ""
    """Its text with its thoughts, and with what the client had begun, as far as it came when it broke off."""

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class ReplyWriter:
    """Writes replies."""

    settings: Settings
    client: Client
    sessions: Sessions
    memory: StrategyCache
    records: Records

    async def write(
        self,
        asked: ChatRequest,
        conversation: str,
        message: str,
        keep: Keep,
        delivery: Told,
        written: Written,
    ) -> Outcome:
        """Write a reply; what code shows is said where it ran. Raises ModelError.

        What is `written` of it already is gone on with: its blocks do not run again, and a last one without
        a result gets that which the records know. `message` is the reply's name there.
        """
        settings, where = self.settings, location_of(self.settings)
        session = self.sessions.get(conversation, where)
        runs = RecordedRuns(self.records, conversation, message, where.place)
        allowance = ReplyBudget(
            settings.max_seconds, settings.max_tokens, spent=lambda: reply.usage.completion
        )
        options = RunOptions(settings.timeout, settings.limit, keep=keep, allowance=allowance, runs=runs)
        if not written.reply and (late := await asyncio.to_thread(late_words, session, options)):
            # The client keeps the history: what it is to hold has to be said.
            written.late += late
            await _say(f"{late}\n", delivery, written)
        reply = self._from_model(asked, written.late)
        stream = _Stream(reply, delivery, written)
        before = bool(written.reply) and readable(written.text)
        # What the client sends of a reply may be long; it is read without holding up the others.
        begun, resume = written.reply or asked.prior, bool(written.reply)
        turn = await asyncio.to_thread(Turn, prior=begun, resume=resume, max_cells=settings.max_blocks)
        try:
            async with aclosing(converse(turn, stream.generate, session, options)) as events:
                async for event in events:
                    await stream.tell(event)
        finally:
            written.reply = turn.reply if turn.reply != asked.prior else ""
        why = "tool_calls" if written.calls else stream.reason or reply.finish_reason
        empty = not (written.calls or before or turn.answered)
        if empty and (word := how_a_reply_ended(why, empty=True)):
            # Nothing else of the answer would be seen.
            await _say_at_the_end(f"({word})\n", turn, delivery, written)
        return Outcome(why if written.calls else official(why), reply.usage)

    def _from_model(self, asked: ChatRequest, late: str) -> ContinuedReply:
        """The reply as the endpoint's model continues it after each result."""
        settings = self.settings
        return ContinuedReply(
            self.client.of(asked.model),
            _with_late(taught(told(asked.messages), settings.system_prompt or SYSTEM_PROMPT), late),
            options=asked.options,
            memory=self.memory,
            continuation=settings.continuation_of(asked.model),
            vision=settings.vision,
        )


@dataclass(slots=True)
class _Stream:
    """Between the model and the client, while a reply is written."""

    reply: ContinuedReply
    delivery: Told
    written: Written
    shown: Sequence[bytes] = ()
    """The pictures of the latest result, which the model sees next."""
    reason: str = ""
    """Why the reply ends, if a limit of ours ends it."""

    async def generate(self, step: Generate) -> AsyncGenerator[str]:
        """What the model goes on with."""
        so_far, result = for_the_model(step.reply), for_the_model(step.result)
        async with aclosing(self.reply.generate(so_far, result, self.shown)) as deltas:
            async for delta in deltas:
                if delta.reasoning:
                    await self.delivery.think(delta.reasoning)
                if delta.calls:
                    self.written.calls = True
                    await self.delivery.call(delta.calls)
                if delta.content:
                    yield delta.content

    async def tell(self, event: Event) -> None:
        """Tell the client what happens, and note it."""
        match event:
            case Say(text, Part.THOUGHT):
                await self.delivery.say(text)
            case Say(text):
                await _say(text, self.delivery, self.written)
            case Started():
                self.written.ran = True
            case Ended(ended):
                self.shown = pictures(ended)
            case Finish("limit"):
                self.reason = "length"
            case _:
                pass


async def _say(text: str, delivery: Told, written: Written) -> None:
    written.pieces.append(text)
    await delivery.say(text)


async def _say_at_the_end(text: str, turn: Turn, delivery: Told, written: Written) -> None:
    """Say a sentence of ours below a reply, on a line of its own."""
    written.pieces.append(text)
    above = turn.reply + turn.ending
    await delivery.say(f"{turn.ending}\n{text}" if above and not above.endswith("\n") else text)


def official(reason: str) -> str:
    """A reason to end in OpenAI's word for it, where it has one: clients know no other.

    A call that the client is not given is none that it could answer.
    """
    return OFFICIAL.get(reason.casefold(), reason)


def told(messages: Sequence[Message]) -> list[Message]:
    """The messages without the pictures that our replies in them hold whole."""
    return [
        {**message, "content": for_the_model(content)}
        if message.get("role") == "assistant" and isinstance(content := message.get("content"), str)
        else message
        for message in messages
    ]


def taught(messages: Sequence[Message], prompt: str) -> list[Message]:
    """The messages with `prompt` before what the client's own system message says."""
    prompt = prompt.strip()
    if not prompt:
        return list(messages)
    told_first = bool(messages) and _is_system(messages[0])
    first, rest = (messages[0], messages[1:]) if told_first else ({}, messages)
    content: object = first.get("content") or ""
    if isinstance(content, str):
        return [{"role": "system", **first, "content": f"{prompt}\n\n{content}".rstrip()}, *rest]
    parts = list(content) if isinstance(content, Sequence) else []
    return [{**first, "content": [{"type": "text", "text": prompt}, *parts]}, *rest]


def _is_system(message: Message) -> bool:
    return message.get("role") in ("system", "developer")


def _with_late(messages: Sequence[Message], late: str) -> list[Message]:
    """The messages, with what has come late before the last one."""
    if not late:
        return list(messages)
    if not messages:
        return [{"role": "user", "content": late}]
    *before, last = messages
    content: object = last.get("content") or ""
    if isinstance(content, str):
        return [*before, {**last, "content": f"{late}\n{content}"}]
    parts: Sequence[Mapping[str, object]] = content if isinstance(content, Sequence) else []
    return [*before, {**last, "content": [{"type": "text", "text": late}, *parts]}]
