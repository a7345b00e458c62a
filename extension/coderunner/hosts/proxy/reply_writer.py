"""Writes a reply: drives the endpoint's model and the conversation's kernel, and tells the client."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from weakref import WeakSet

from coderunner.ending_sentences import COMPLETE, how_a_reply_ended
from coderunner.errors import RecordsUnavailable
from coderunner.hosts.proxy.chat_request import ChatRequest, Message
from coderunner.hosts.proxy.image_links import for_the_model
from coderunner.hosts.proxy.openai_format import Outcome
from coderunner.hosts.proxy.operation.request_facts import RequestFacts
from coderunner.hosts.proxy.operation.watch import Watch
from coderunner.hosts.proxy.response_stream import ReplySink
from coderunner.hosts.proxy.team.accounts import Accounts
from coderunner.hosts.proxy.team.kernel_seats import KernelSeats
from coderunner.hosts.proxy.team.members import Member
from coderunner.hosts.proxy.team.reply_limits import LimitedKernel, ReplyLimits
from coderunner.languages import Language
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
    Session,
    Sessions,
    Started,
    Status,
    Turn,
    converse,
    late_words,
    location_of,
    pictures,
)
from coderunner.settings.settings import Settings
from coderunner.system_prompt import SYSTEM_PROMPT, taught
from coderunner.text.surrogates import readable

log = logging.getLogger(__name__)

OFFICIAL: Mapping[str, str] = {
    **dict.fromkeys(COMPLETE, "stop"),
    **dict.fromkeys(("tool_calls", "function_call"), "stop"),
    **dict.fromkeys(("max_tokens", "model_length"), "length"),
    **dict.fromkeys(("safety", "sensitive", "recitation", "prohibited_content"), "content_filter"),
}
"""OpenAI's words for other servers' finish reasons, such as Mistral's, Zhipu's and Google's."""

SHUT_DOWN = "stopped: CodeRunner is shutting down; ask again, and the reply goes on"

Keep = Callable[[Result], Sequence[str]]
"""Saves the images of a result; gives Markdown for each."""


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

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Order:
    """A reply that is to be written."""

    asked: ChatRequest
    member: Member
    conversation: str
    """The conversation's name for kernel and records."""
    message: str
    """The reply's name in the records."""
    keep: Keep
    facts: RequestFacts
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    """Is set where the proxy is about to end."""


@dataclass(frozen=True, slots=True)
class ReplyWriter:
    """Writes replies."""

    settings: Settings
    client: Client
    sessions: Sessions
    memory: StrategyCache
    records: Records
    accounts: Accounts
    seats: KernelSeats
    watch: Watch
    met: WeakSet[Session] = field(default_factory=WeakSet)
    """The sessions of which it is known what an earlier process ran in them."""

    def session(self, member: Member, conversation: str) -> Session:
        """The session of a member's conversation, on the member's server if it has one."""
        return self.sessions.get(conversation, member.server or location_of(self.settings))

    async def write(self, order: Order, delivery: ReplySink, written: Written) -> Outcome:
        """Write a reply with the results of its code. Raises ModelError.

        A reply that is partly `written` is continued: its blocks are not run again, and a last block without
        a result gets the one in the records.
        """
        with self.seats.reply(order.conversation), self.watch.reply():
            return await self._write(order, delivery, written)

    async def _write(self, order: Order, delivery: ReplySink, written: Written) -> Outcome:
        settings, asked = self.settings, order.asked
        session = self.session(order.member, order.conversation)
        await self._meet(session)
        limits = self._limits(order, session)
        runs = RecordedRuns(self.records, order.conversation, order.message, session.where.place)
        allowance = ReplyBudget(
            settings.max_seconds,
            settings.max_tokens,
            spent=lambda: reply.usage.completion,
            further=limits.used_up,
        )
        options = RunOptions(
            settings.timeout,
            settings.limit,
            admit=limits.admit,
            keep=order.keep,
            allowance=allowance,
            runs=runs,
        )
        if not written.reply and (late := await asyncio.to_thread(late_words, session, options)):
            # The client keeps the history, so late results have to be part of it.
            written.late += late
            await _say(f"{late}\n", delivery, written)
        language = await session.language()
        reply = self._from_model(asked, written.late, language)
        stream = _Stream(reply, delivery, written, self._note(order))
        before = bool(written.reply) and readable(written.text)
        # The client's beginning of a reply may be long: parsing it must not block the loop.
        begun, resume = written.reply or asked.prior, bool(written.reply)
        turn = await asyncio.to_thread(
            Turn, prior=begun, resume=resume, max_cells=settings.max_blocks, language=language
        )
        kernel = LimitedKernel(session, limits, self.watch.metrics.waiting.inc)
        talk = converse(turn, stream.generate, kernel, options, stop=order.stop)
        try:
            async with aclosing(talk) as events:
                async for event in events:
                    await stream.tell(event)
        finally:
            written.reply = turn.reply if turn.reply != asked.prior else ""
        if stream.stopped:
            await _say_at_the_end(f"({SHUT_DOWN})\n", turn, delivery, written)
            written.cut_short = True
            return Outcome("length", reply.usage)
        why = "tool_calls" if written.calls else stream.reason or reply.finish_reason
        empty = not (written.calls or before or turn.answered)
        if empty and (word := how_a_reply_ended(why, empty=True)):
            # Otherwise the answer would be empty.
            await _say_at_the_end(f"({word})\n", turn, delivery, written)
        return Outcome(why if written.calls else official(why), reply.usage)

    async def _meet(self, session: Session) -> None:
        """Have the next block told if the variables of an earlier process are gone; once per session."""
        if session in self.met:
            return
        try:
            count = await asyncio.to_thread(self.records.last_count, session.conversation)
        except RecordsUnavailable as failure:
            log.info("%s", failure)
            return
        if count is not None and session not in self.met and not session.live:
            session.resume(count)
        self.met.add(session)

    def _limits(self, order: Order, session: Session) -> ReplyLimits:
        return ReplyLimits(
            order.member,
            session,
            self.accounts,
            self.seats,
            lambda reached: self.watch.limited(order.facts, reached),
        )

    def _note(self, order: Order) -> "Notes":
        return Notes(
            lambda result, seconds: self.watch.block(order.facts, result, seconds),
            lambda prompt, completion, estimated: self._spend(order, prompt, completion, estimated=estimated),
        )

    def _spend(self, order: Order, prompt: int, completion: int, *, estimated: bool) -> None:
        self.accounts.note_tokens(order.member, prompt + completion)
        self.watch.tokens(order.facts, prompt, completion, estimated=estimated)

    def _from_model(self, asked: ChatRequest, late: str, language: Language) -> ContinuedReply:
        """The reply as the endpoint's model continues it after each result."""
        settings = self.settings
        lesson = taught(settings.system_prompt or SYSTEM_PROMPT, language)
        return ContinuedReply(
            self.client.of(asked.model),
            _with_late_results(with_system_prompt(without_images(asked.messages), lesson), late),
            options=asked.options,
            memory=self.memory,
            continuation=settings.continuation_of(asked.model),
            vision=settings.vision,
            language=language,
        )


@dataclass(frozen=True, slots=True)
class Notes:
    """Whom a stream tells of what it costs."""

    block: Callable[[Result, float | None], None]
    """Of each block that was not known before, with its seconds if it was run."""
    tokens: Callable[[int, int, bool], None]
    """Of the tokens of each request: prompt, completion, and whether some are an estimate."""


@dataclass(slots=True)
class _Stream:
    """Between the model and the client, while a reply is written."""

    reply: ContinuedReply
    delivery: ReplySink
    written: Written
    notes: Notes
    shown: Sequence[bytes] = ()
    """The images of the latest result, which the model sees next."""
    reason: str = ""
    """Why the reply ends, if a limit of ours ends it."""
    stopped: bool = False
    """The reply was cut short because the proxy is about to end."""
    _began: float | None = None
    """When the block that runs was begun."""

    async def generate(self, step: Generate) -> AsyncGenerator[str]:
        """The next text of the model."""
        so_far, result = for_the_model(step.reply), for_the_model(step.result)
        before = self.reply.usage
        try:
            async with aclosing(self.reply.generate(so_far, result, self.shown)) as deltas:
                async for delta in deltas:
                    if delta.reasoning:
                        await self.delivery.think(delta.reasoning)
                    if delta.calls:
                        self.written.calls = True
                        await self.delivery.call(delta.calls)
                    if delta.content:
                        yield delta.content
        finally:
            spent = self.reply.usage
            prompt = spent.prompt_total + spent.guessed - before.prompt_total - before.guessed
            self.notes.tokens(prompt, spent.completion - before.completion, not spent.counted)

    async def tell(self, event: Event) -> None:
        """Tell the client what happens, and note it."""
        match event:
            case Say(text, Part.THOUGHT):
                await self.delivery.say(text)
            case Say(text):
                await _say(text, self.delivery, self.written)
            case Started():
                self.written.ran = True
                self._began = time.monotonic()
            case Ended(ended):
                self.shown = pictures(ended)
                self._note(ended)
            case Finish("limit"):
                self.reason = "length"
            case Finish("stop"):
                self.stopped = True
            case _:
                pass

    def _note(self, ended: Result) -> None:
        began, self._began = self._began, None
        if began is not None or ended.status is Status.UNFIT:
            self.notes.block(ended, None if began is None else time.monotonic() - began)


async def _say(text: str, delivery: ReplySink, written: Written) -> None:
    written.pieces.append(text)
    await delivery.say(text)


async def _say_at_the_end(text: str, turn: Turn, delivery: ReplySink, written: Written) -> None:
    """Say a sentence of ours below a reply, on its own line."""
    written.pieces.append(text)
    above = turn.reply + turn.ending
    await delivery.say(f"{turn.ending}\n{text}" if above and not above.endswith("\n") else text)


def official(reason: str) -> str:
    """OpenAI's word for a finish reason if there is one: clients know no others.

    A call that the client does not get is no reason for it, since it could not answer.
    """
    return OFFICIAL.get(reason.casefold(), reason)


def without_images(messages: Sequence[Message]) -> list[Message]:
    """The messages without the inline images in our replies."""
    return [
        {**message, "content": for_the_model(content)}
        if message.get("role") == "assistant" and isinstance(content := message.get("content"), str)
        else message
        for message in messages
    ]


def with_system_prompt(messages: Sequence[Message], prompt: str) -> list[Message]:
    """The messages with `prompt` before the client's own system message."""
    prompt = prompt.strip()
    if not prompt:
        return list(messages)
    has_system = bool(messages) and _is_system(messages[0])
    first, rest = (messages[0], messages[1:]) if has_system else ({}, messages)
    content: object = first.get("content") or ""
    if isinstance(content, str):
        return [{"role": "system", **first, "content": f"{prompt}\n\n{content}".rstrip()}, *rest]
    parts = list(content) if isinstance(content, Sequence) else []
    return [{**first, "content": [{"type": "text", "text": prompt}, *parts]}, *rest]


def _is_system(message: Message) -> bool:
    return message.get("role") in ("system", "developer")


def _with_late_results(messages: Sequence[Message], late: str) -> list[Message]:
    """The messages with late results before the last one."""
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
