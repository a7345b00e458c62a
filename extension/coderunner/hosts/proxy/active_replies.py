"""The replies that are being written: each by a task of its own, which whoever wants the reply follows."""

import asyncio
import logging
import time
from collections.abc import Mapping

from coderunner.errors import CodeRunnerError, RecordsUnavailable
from coderunner.hosts.proxy.chat_request import ChatRequest
from coderunner.hosts.proxy.client_retries import KEPT, PREFIX, Attempt, ClientRetries, restored, signed
from coderunner.hosts.proxy.conversations import Conversations
from coderunner.hosts.proxy.openai_format import Outcome
from coderunner.hosts.proxy.reply_writer import Keep, ReplyWriter

log = logging.getLogger(__name__)

BROKEN = "Something went wrong in the proxy; see its terminal."

GRACE = 10.0
"""Seconds for which a reply goes on whose client has waited for as long as it does: OpenAI's clients come
again after half a second at first, and after eight at most."""


class ActiveReplies:
    """Begins replies, finds those that a client asks for again, and ends those that nobody wants any more."""

    def __init__(self, writer: ReplyWriter, conversations: Conversations) -> None:
        self._writer = writer
        self._conversations = conversations
        self._retries = ClientRetries()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    async def find(self, identity: str, headers: Mapping[str, str], name: str) -> Attempt | None:
        """The reply that a request asks for again; None where it is a new question.

        `name` is the conversation's for one that only the records know.

        One that failed, or was given up, is to be begun: it goes on where it stands.
        """
        if known := self._retries.find(identity, headers):
            return known if known.complete or not known.journal.ended else known.again()
        if not signed(headers):
            return None
        try:
            records = await asyncio.to_thread(
                self._writer.records.of_latest_reply, identity[:PREFIX], within=KEPT
            )
        except RecordsUnavailable as failure:
            log.warning("%s", failure)
            return None
        return restored(name, records) if records else None

    def begin(self, identity: str, attempt: Attempt, asked: ChatRequest, owner: str, keep: Keep) -> None:
        """Write it, for all who follow its journal."""
        attempt.begun = True
        self._retries.note(identity, attempt)
        task = asyncio.create_task(self._write(attempt, asked, owner, keep))
        self._tasks[id(attempt)] = task
        task.add_done_callback(lambda _: self._tasks.pop(id(attempt), None))

    async def leave(self, attempt: Attempt, *, wait: bool) -> None:
        """One who followed it does so no more; with `wait`, it may come again at once.

        Where nobody follows it any more it ends, and the code that runs for it is interrupted. Where nothing
        has run there is nothing that a retry could run again, and no reason to wait for one.
        """
        if attempt.journal.ended or attempt.journal.followed:
            return
        if wait and attempt.written.ran:
            attempt.since = time.monotonic()
            task = asyncio.create_task(self._linger(attempt))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)
        else:
            await self._end(attempt)

    async def close(self) -> None:
        """End all of them."""
        for task in (every := [*self._tasks.values(), *self._leaving]):
            task.cancel()
        await asyncio.gather(*every, return_exceptions=True)

    async def _linger(self, attempt: Attempt) -> None:
        await asyncio.sleep(GRACE)
        left_again = time.monotonic() - attempt.since < GRACE  # by one who came again meanwhile
        if not attempt.journal.followed and not left_again:
            await self._end(attempt)

    async def _end(self, attempt: Attempt) -> None:
        task = self._tasks.get(id(attempt))
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _write(self, attempt: Attempt, asked: ChatRequest, owner: str, keep: Keep) -> None:
        end: Outcome | CodeRunnerError | None = None
        journal, written = attempt.journal, attempt.written
        try:
            end = await self._writer.write(asked, attempt.label, attempt.message, keep, journal, written)
        except CodeRunnerError as failure:
            end = failure
        except Exception:
            log.exception("A reply failed")
            end = CodeRunnerError(BROKEN)
        finally:
            # Before the client hears of the end: its next question may come at once.
            said = asked.prior + written.text
            self._conversations.remember(owner, attempt.name, asked.messages, said)
            attempt.end(end)
