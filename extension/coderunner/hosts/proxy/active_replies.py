"""The replies that are being written: each by its own task, which any number of clients follow."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from coderunner.errors import CodeRunnerError, RecordsUnavailable
from coderunner.hosts.proxy.client_api.chat_request import ClientAnswer, Message
from coderunner.hosts.proxy.client_api.openai_format import Outcome
from coderunner.hosts.proxy.client_calls import WENT_ON, ClientCalls, Unanswered
from coderunner.hosts.proxy.client_retries import (
    KEPT,
    PREFIX,
    Attempt,
    ClientRetries,
    call_identity,
    continued,
    may_be_retry,
    restored,
    saved,
)
from coderunner.hosts.proxy.conversations import Conversations, keys
from coderunner.hosts.proxy.reply_broadcast import ReplyBroadcast
from coderunner.hosts.proxy.reply_writer import Order, ReplyWriter
from coderunner.hosts.proxy.team.members import Member
from coderunner.models.endpoint.token_usage import Usage

log = logging.getLogger(__name__)

BROKEN = "Something went wrong in the proxy; see its terminal."

ENDED = "The proxy was shut down before this reply was complete; ask again."

GRACE = 10.0
"""Seconds for which a reply goes on after its client has timed out: OpenAI's clients retry after half a
second at first, and after eight at most."""


SHARING = 2.0
"""Seconds that the end of a reply waits for the records, which take milliseconds."""


class ActiveReplies:
    """Starts replies, finds those of retries, and stops those without followers."""

    def __init__(self, writer: ReplyWriter, conversations: Conversations, *, grace: float = GRACE) -> None:
        self._writer = writer
        self._conversations = conversations
        self._grace = grace
        self._retries = ClientRetries()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._lent: dict[str, ClientCalls] = {}
        """The calls of clients' tools of the latest reply in each conversation."""
        self._leaving: dict[asyncio.Task[None], _Leaving] = {}
        self._stop = asyncio.Event()
        self._closing = False

    async def find(
        self, identity: str, headers: Mapping[str, str], name: str, member: Member
    ) -> Attempt | None:
        """The reply of a retry; None if the request is a new question.

        `name` is the conversation's, for a reply that only the records have. A reply that failed or was given
        up has not begun again: it is to be continued.
        """
        if known := self._retries.find(identity, headers):
            return known if known.complete or not known.journal.ended else known.again()
        if cut := await self._cut(identity):
            return cut
        if not may_be_retry(headers):
            return None
        try:
            records = await asyncio.to_thread(
                self._writer.records.of_latest_reply, identity[:PREFIX], within=KEPT
            )
        except RecordsUnavailable as failure:
            log.warning("%s", failure)
            return None
        if not records:
            return None
        session = self._writer.session(member, records[-1].key.conversation)
        return restored(name, records, await session.language())

    def answered(self, owner: str, answers: Mapping[str, ClientAnswer]) -> Attempt | None:
        """The reply whose block waits for these answers of its client, or has got them.

        None where no such call is known (any more). One that was given up is to be continued.
        """
        names = [call_identity(owner, call) for call in answers]
        known = next(filter(None, map(self._retries.of_call, names)), None)
        if known is None:
            return None
        if known.calls is not None:
            known.calls.receive(answers)
        if known.journal.ended and not known.complete:
            known = known.again()
            for name in names:
                self._retries.note(name, known)
        return known

    async def _cut(self, identity: str) -> Attempt | None:
        """The reply to that request which another process had to cut short; given once."""
        records = self._writer.records
        try:
            content = await asyncio.to_thread(records.take_cut, identity, within=KEPT)
        except RecordsUnavailable as failure:
            log.info("%s", failure)
            return None
        return continued(content) if content else None

    async def _note_cut(self, identity: str, attempt: Attempt) -> None:
        """Have other processes go on with a reply that is cut short."""
        if not (content := await asyncio.to_thread(saved, attempt)):
            return
        try:
            async with asyncio.timeout(SHARING):
                await asyncio.to_thread(self._writer.records.note_cut, identity, content, within=KEPT)
        except (RecordsUnavailable, TimeoutError) as failure:
            log.warning("A reply that was cut short cannot be continued: %s", failure)

    async def recognise(self, owner: str, history: Sequence[Message]) -> str:
        """The conversation of a history that another process has answered; empty where none is known."""
        if not (known := await asyncio.to_thread(keys, owner, history)):
            return ""
        try:
            names = await asyncio.to_thread(self._writer.records.names_of, known)
        except RecordsUnavailable as failure:
            log.info("%s", failure)
            return ""
        return next((names[key] for key in known if key in names), "")

    async def _share(self, attempt: Attempt, order: Order) -> None:
        """Have other processes know the history that ends with this reply."""
        asked, written = order.asked, attempt.written
        if not written.ran:  # without a block there is no kernel to find again
            return
        reply: Message = {"role": "assistant", "content": asked.prior + written.text}
        key, *_ = await asyncio.to_thread(keys, order.member.owner, [*asked.messages, reply])
        try:
            async with asyncio.timeout(SHARING):
                await asyncio.to_thread(self._writer.records.note_history, key, attempt.name)
        except (RecordsUnavailable, TimeoutError) as failure:
            log.info("%s", failure)

    def begin(self, identity: str, attempt: Attempt, order: Order) -> None:
        """Start to write a reply, for all followers of its journal."""
        attempt.begun = True
        self._retries.note(identity, attempt)
        self._go_before(attempt)
        if (earlier := self._lent.get(attempt.label)) is not None and earlier.suspended:
            earlier.end(WENT_ON)
        parts = _Parts(self, attempt, order := replace(order, stop=self._stop))
        self._keep(attempt, asyncio.create_task(self._write(identity, parts, order)))

    def _keep(self, attempt: Attempt, task: "asyncio.Task[None]") -> None:
        self._tasks[id(attempt)] = task
        task.add_done_callback(lambda _: self._tasks.pop(id(attempt), None))

    async def leave(self, attempt: Attempt, *, wait: bool) -> None:
        """Note that a client no longer follows a reply; with `wait`, it may retry soon.

        Without followers the reply is stopped, and its code is interrupted, also what runs on after its
        deadline. If none of its code has run, a retry may start again, so there is no need to wait. Nor is
        there once the client asks something else in this conversation.
        """
        if attempt.journal.ended or attempt.journal.followed:
            return
        if wait and attempt.written.ran:
            leaving = _Leaving(attempt)
            task = asyncio.create_task(self._linger(leaving))
            self._leaving[task] = leaving
            task.add_done_callback(self._leaving.pop)
        else:
            await self._end(attempt)

    async def ended(self) -> None:
        """Wait until none is being written."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def cut_short(self, patience: float) -> None:
        """Stop all of them: each says so, after the result so far of a block that runs.

        What has not ended after `patience` seconds is given up; the records say what is known of its block.
        """
        self._writer.sessions.leave()
        self._stop.set()
        try:
            async with asyncio.timeout(patience):
                await self.ended()
        except TimeoutError:
            await self.close()

    async def close(self) -> None:
        """End all of them."""
        self._closing = True
        self._writer.sessions.leave()
        for task in (every := [*self._tasks.values(), *self._leaving]):
            task.cancel()
        await asyncio.gather(*every, return_exceptions=True)

    async def _linger(self, leaving: "_Leaving") -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._grace):
                await leaving.over.wait()
        if not leaving.taken_up:
            await self._end(leaving.attempt)

    def _go_before(self, attempt: Attempt) -> None:
        """End the replies of this conversation whose client has left, unless this continues one of them."""
        for leaving in self._leaving.values():
            if leaving.attempt.label == attempt.label:
                leaving.continued = leaving.attempt.message == attempt.message
                leaving.over.set()

    async def _end(self, attempt: Attempt) -> None:
        task = self._tasks.get(id(attempt))
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        attempt.written.interrupt()

    async def _write(self, identity: str, parts: "_Parts", order: Order) -> None:
        end: Outcome | CodeRunnerError | None = None
        first, written = parts.attempt, parts.attempt.written
        try:
            end = parts.counted(await self._writer.write(order, parts, written))
            if written.cut_short and parts.attempt is first:
                await self._note_cut(identity, first)
            await self._share(parts.attempt, order)
        except Unanswered as failure:
            log.info("%s", failure)
        except CodeRunnerError as failure:
            end = failure
            self._writer.watch.failed(order.facts, failure)
        except asyncio.CancelledError:
            if self._closing:
                end = CodeRunnerError(ENDED)
                if parts.attempt is first:
                    # We were cancelled once, and are waited for.
                    await self._note_cut(identity, first)
            raise
        except Exception as failure:
            log.exception("A reply failed")
            end = CodeRunnerError(BROKEN)
            self._writer.watch.failed(order.facts, failure)
        finally:
            if self._lent.get(first.label) is parts.attempt.calls:
                self._lent.pop(first.label, None)
            self._end_part(parts.attempt, order, end)

    def _end_part(self, attempt: Attempt, order: Order, end: Outcome | CodeRunnerError | None) -> None:
        # Known before the client gets the end, since its next request may come at once.
        asked = order.asked
        said = asked.prior + attempt.written.text
        self._conversations.remember(order.member.owner, attempt.name, asked.messages, said)
        attempt.end(end)


class _Leaving:
    """A reply that has lost its client at its timeout, which may come back for it."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self._follows = attempt.journal.follows
        self.over = asyncio.Event()
        """Is set where nobody need wait any longer."""
        self.continued = False
        """Another attempt goes on with it."""

    @property
    def taken_up(self) -> bool:
        """Whether its client has come back."""
        return self.continued or self.attempt.journal.follows != self._follows


class _Parts:
    """One reply in as many responses as the calls of its blocks make of it."""

    def __init__(self, replies: ActiveReplies, attempt: Attempt, order: Order) -> None:
        self._replies, self._order = replies, order
        self.attempt = attempt
        """The latest of them."""
        self._last = attempt
        """The one whose end its client waits for."""
        self._spent = Usage()

    def counted(self, outcome: Outcome) -> Outcome:
        """The end of the latest response, with what that has cost."""
        spent, self._spent = self._spent, outcome.usage
        return Outcome(outcome.reason, outcome.usage.since(spent))

    def lend(self, calls: ClientCalls) -> None:
        """Have answers to these calls find them."""
        self.attempt.calls = calls
        self._replies._lent[self.attempt.label] = calls

    @property
    def sink(self) -> ReplyBroadcast:
        """What the latest of them receives."""
        return self.attempt.journal

    def begin_next(self) -> None:
        """What is said from now on is for the client's next request."""
        self._last, self.attempt = self.attempt, self.attempt.next_part()
        if (task := self._replies._tasks.get(id(self._last))) is not None:
            self._replies._keep(self.attempt, task)

    async def end_last(self, calls: Sequence[Mapping[str, object]], usage: Usage) -> None:
        """End the response before with these calls of the client's tools."""
        owner = self._order.member.owner
        for call in calls:
            self._replies._retries.note(call_identity(owner, str(call["id"])), self.attempt)
        outcome = self.counted(Outcome("tool_calls", usage))
        try:
            await self._replies._share(self._last, self._order)
            await self._last.journal.call(calls)
        finally:
            self._replies._end_part(self._last, self._order, outcome)
