"""Writes a reply: drives the endpoint's model and the conversation's kernel, and tells the client."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from weakref import WeakSet

from coderunner.ending_sentences import how_a_reply_ended
from coderunner.errors import RecordsUnavailable
from coderunner.hosts.proxy.charts.chart_pictures import with_pictures
from coderunner.hosts.proxy.client_api.chat_request import ChatRequest, said, with_words
from coderunner.hosts.proxy.client_api.openai_format import Outcome, official
from coderunner.hosts.proxy.client_api.passed_events import FOR_CLIENTS, SILENT, begun
from coderunner.hosts.proxy.client_api.response_stream import ReplySink
from coderunner.hosts.proxy.client_calls import MIXED, ClientCalls, ReplyParts, Unanswered
from coderunner.hosts.proxy.files.links_for_model import for_the_model
from coderunner.hosts.proxy.files.made_links import MadeLinks, apart
from coderunner.hosts.proxy.files.received_files import ReceivedFiles, told_of
from coderunner.hosts.proxy.files.sent_files import with_file_words
from coderunner.hosts.proxy.live.live_links import LateLinks, LiveLinks, PageLink, below
from coderunner.hosts.proxy.operation.request_facts import RequestFacts
from coderunner.hosts.proxy.operation.watch import Watch
from coderunner.hosts.proxy.reply_broadcast import Written
from coderunner.hosts.proxy.reply_models import ModelReply, Upstreams, from_model, with_files
from coderunner.hosts.proxy.team.accounts import Accounts
from coderunner.hosts.proxy.team.kernel_seats import KernelSeats
from coderunner.hosts.proxy.team.members import Member
from coderunner.hosts.proxy.team.reply_limits import LimitedKernel, ReplyLimits
from coderunner.models.continuation.strategy_cache import StrategyCache
from coderunner.models.endpoint.client import Client
from coderunner.runner import (
    Ended,
    Event,
    Finish,
    Generate,
    Part,
    Preparing,
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
    VariableDigest,
    converse,
    late_words,
    location_of,
    mention_words,
    pictures,
)
from coderunner.settings.settings import Settings
from coderunner.text.surrogates import readable

log = logging.getLogger(__name__)

SHUT_DOWN = "stopped: CodeRunner is shutting down; ask again, and the reply goes on"

Keep = Callable[[Result], Sequence[str]]
"""Saves the images of a result; gives Markdown for each."""


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
    links: MadeLinks
    live: LiveLinks
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
    received: ReceivedFiles
    upstreams: Upstreams
    met: WeakSet[Session] = field(default_factory=WeakSet)
    """The sessions of which it is known what an earlier process ran in them."""
    late: LateLinks = field(default_factory=LateLinks)

    def session(self, member: Member, conversation: str) -> Session:
        """The session of a member's conversation, on the member's server if it has one."""
        where = member.server or location_of(self.settings)
        return self.sessions.get(conversation, where, member.owner)

    async def write(self, order: Order, parts: ReplyParts, written: Written) -> Outcome:
        """Write a reply with the results of its code. Raises ModelError.

        A reply that is partly `written` is continued: its blocks are not run again, and a last block without
        a result gets the one in the records.
        """
        with self.seats.reply(order.conversation), self.watch.reply():
            return await self._write(order, parts, written)

    async def _write(self, order: Order, parts: ReplyParts, written: Written) -> Outcome:
        settings, session = self.settings, self.session(order.member, order.conversation)
        await self._meet(session)
        limits = self._limits(order, session)
        kernel = LimitedKernel(session, limits, self.watch.metrics.waiting.inc)
        asked = await self._with_files(order, kernel)
        mentioned = await mention_words(session, said(order.asked))
        asked = with_words(asked, mentioned) if mentioned else asked
        tells = asked.variables or settings.variables_for_model == "on"
        runs = RecordedRuns(self.records, order.conversation, order.message, session.where.place)
        allowance = ReplyBudget(
            settings.max_seconds,
            settings.max_tokens,
            spent=lambda: reply.usage.completion,
            further=limits.used_up,
        )
        kept: list[str] = []
        page = PageLink(partial(with_pictures, ask=kernel.ask, stopped=order.stop.is_set))

        def noted(markdown: Sequence[str]) -> Sequence[str]:
            kept.extend(line for each in markdown for line in each.split("\n") if line)
            return markdown

        def linked(links: Mapping[str, str]) -> Mapping[str, str]:
            kept.extend(links.values())
            return links

        options = RunOptions(
            settings.timeout,
            settings.limit,
            admit=limits.admit,
            keep=lambda result: noted(
                apart(below(order.keep(page.pictured(result)), page.of(result) or self.late.of(result)))
            ),
            links=lambda result: linked(order.links.of(result)),
            allowance=allowance,
            runs=runs,
            variables=VariableDigest(session) if tells else None,
        )
        if not written.reply and (late := await asyncio.to_thread(late_words, session, options)):
            # The client keeps the history, so late results have to be part of it.
            written.late += late
            await _say(f"{late}\n", parts.sink, written)
        language = await session.language()
        seconds = settings.hard_timeout
        lent = ClientCalls(
            asked, parts, session, usage=lambda: reply.usage, seconds=seconds, paused=allowance.paused
        )
        reply: ModelReply = from_model(
            asked,
            written.late,
            mentioned,
            language,
            await self.sessions.words_of_tools(session),
            settings=settings,
            client=self.client,
            memory=self.memory,
            upstreams=self.upstreams,
        )
        notes = self._note(order)
        stream = _Stream(reply, parts, written, notes, order.links, order.live, self.late, page, kept, lent)
        before = bool(written.reply) and readable(written.text)
        # The client's beginning of a reply may be long: parsing it must not block the loop.
        begun, resume = written.reply or asked.prior, bool(written.reply)
        turn = await asyncio.to_thread(
            Turn, prior=begun, resume=resume, max_cells=settings.max_blocks, language=language
        )
        talk = converse(turn, stream.generate, kernel, options, stop=order.stop)
        try:
            async with aclosing(talk) as events:
                async for event in events:
                    await stream.tell(event)
        finally:
            lent.close()
            await stream.flush()
            written.reply = turn.reply if turn.reply != asked.prior else ""
        if stream.stopped:
            await _say_at_the_end(f"({SHUT_DOWN})\n", turn, parts.sink, written)
            written.cut_short = True
            return Outcome("length", reply.usage)
        why = "tool_calls" if written.calls else stream.reason or reply.finish_reason
        empty = not (written.calls or before or turn.answered or stream.passed)
        if empty and (word := how_a_reply_ended(why, empty=True)):
            # Otherwise the answer would be empty.
            await _say_at_the_end(f"({word})\n", turn, parts.sink, written)
        return Outcome(why if written.calls else official(why), reply.usage)

    async def _with_files(self, order: Order, kernel: LimitedKernel) -> ChatRequest:
        """The request, with its files in the conversation's folder, and words about them in its messages."""
        asked, folder = order.asked, order.links.folder
        received = await self.received.write(
            order.conversation, folder, asked.files, kernel, order.stop.is_set
        )
        told = told_of(received)
        return replace(with_files(asked, told), messages=with_file_words(asked.messages, told))

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

    reply: ModelReply
    parts: ReplyParts
    written: Written
    notes: Notes
    links: MadeLinks
    live: LiveLinks
    late: LateLinks
    page: PageLink
    kept: list[str]
    """The Markdown of the next result's images, and its links; emptied when that is said."""
    lent: ClientCalls
    failed: bool = True
    """The block whose result is said next did not run to its end, or did not run at all."""
    shown: Sequence[bytes] = ()
    """The images of the latest result, which the model sees next."""
    reason: str = ""
    """Why the reply ends, if a limit of ours ends it."""
    stopped: bool = False
    """The reply was cut short because the proxy is about to end."""
    passed: bool = False
    """A block of the endpoint's own is in it, other than a thought."""
    _began: float | None = None
    """When the block that runs was begun."""
    _started: Started | None = None

    async def generate(self, step: Generate) -> AsyncGenerator[str]:
        """The next text of the model."""
        if self.lent.suspended:
            raise Unanswered("The client of a reply did not answer a call of its block.")
        so_far, result = for_the_model(step.reply), for_the_model(step.result)
        before = self.reply.usage
        try:
            async with aclosing(self.reply.generate(so_far, result, self.shown)) as deltas:
                async for delta in deltas:
                    if delta.reasoning:
                        await self.parts.sink.think(delta.reasoning)
                    if delta.calls:
                        self.written.calls = True
                        self.lent.end(MIXED)
                        await self.parts.sink.call(delta.calls)
                    for event in delta.events:
                        await self._pass(event)
                    if delta.content:
                        yield delta.content
        finally:
            spent = self.reply.usage
            prompt = spent.prompt_total + spent.guessed - before.prompt_total - before.guessed
            self.notes.tokens(prompt, spent.completion - before.completion, not spent.counted)

    async def _pass(self, event: Mapping[str, object]) -> None:
        """Pass on an event of an endpoint that has the client's API."""
        if kind := begun(event):
            await self.flush()
            self.written.calls = self.written.calls or kind in FOR_CLIENTS
            self.passed = self.passed or kind not in SILENT
        await self.parts.sink.pass_event(event)

    async def tell(self, event: Event) -> None:
        """Tell the client what happens, and note it."""
        if isinstance(event, Say) and event.part is not Part.TEXT:
            await self.flush()
        match event:
            case Say(text, Part.THOUGHT):
                await self.parts.sink.say(text, Part.THOUGHT)
            case Say(text, Part.TEXT):
                async for piece in self.links.receive(text):
                    await _say(piece, self.parts.sink, self.written)
            case Say(text, part):
                if part is Part.RESULT:
                    await self.parts.sink.end_block(tuple(self.kept), failed=self.failed)
                    self.kept.clear()
                    self.failed = True
                await _say(text, self.parts.sink, self.written, part)
            case Started(cell):
                await self.parts.sink.run(cell.source)
                self.lent.begin_block()
                self.written.ran = True
                self._began, self._started = time.monotonic(), event
            case Preparing(""):
                self._began = time.monotonic()
            case Ended(ended):
                self.lent.end_block()
                self.failed = ended.status is not Status.OK
                if event.running is not None:
                    self.written.leave_running(event.running)
                    self.late.expect(event, self.live)
                self._note(ended)
                started, self._started = self._started, None
                self.shown = pictures(await self.page.receive(ended))
                self.page.markdown = await asyncio.to_thread(self.live.of, event, started)
            case Finish("limit"):
                self.reason = "length"
            case Finish("stop"):
                self.stopped = True
            case _:
                pass

    async def flush(self) -> None:
        """Say what was held back of the text: it is no link."""
        if held := self.links.close():
            await _say(held, self.parts.sink, self.written)

    def _note(self, ended: Result) -> None:
        began, self._began = self._began, None
        if began is not None or ended.status is Status.UNFIT:
            self.notes.block(ended, None if began is None else time.monotonic() - began)


async def _say(text: str, delivery: ReplySink, written: Written, part: Part = Part.TEXT) -> None:
    written.pieces.append(text)
    await delivery.say(text, part)


async def _say_at_the_end(text: str, turn: Turn, delivery: ReplySink, written: Written) -> None:
    """Say a sentence of ours below a reply, on its own line."""
    written.pieces.append(text)
    above = turn.reply + turn.ending
    await delivery.say(f"{turn.ending}\n{text}" if above and not above.endswith("\n") else text)
