"""The reply that is being written: what its events change in the messages, and how it ends."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from coderunner.errors import CodeRunnerError
from coderunner.hosts.app.conversation import message_parts
from coderunner.hosts.app.conversation.code_approval import CodeApproval
from coderunner.hosts.app.conversation.detached_cells import DetachedCells
from coderunner.hosts.app.conversation.message_parts import Message
from coderunner.hosts.app.conversation.reply_request import Answer, ReplyRequest
from coderunner.hosts.app.conversation.transcript import Transcript
from coderunner.outputs import Result
from coderunner.page import block_transitions
from coderunner.page.server.input_requests import InputRequests
from coderunner.runner import (
    Answered,
    Asked,
    Beat,
    Connection,
    Ended,
    Event,
    Finish,
    Late,
    LateOutputRecorder,
    Part,
    Preparing,
    Question,
    Say,
    Shown,
    Started,
    Waiting,
)
from coderunner.secret_value import Secret

log = logging.getLogger(__name__)


class ActiveReply:
    """One reply of a conversation, from its beginning to its end; used in the conversation's loop only."""

    def __init__(
        self,
        transcript: Transcript,
        messages: tuple[Message, ...],
        approval: CodeApproval,
        detached: DetachedCells,
        answers: InputRequests,
        *,
        save_interval: float,
    ) -> None:
        """Begin a reply to `messages`: the transcript shows them, and the empty reply below."""
        self._transcript = transcript
        self._approval = approval
        self._detached = detached
        self._answers = answers
        self._save_interval = save_interval
        self._input_ticket = ""
        """The ticket of what the reply's program asks."""
        self._running: tuple[str, Callable[[], None]] = ("", lambda: None)
        """The ticket of the block that runs or waits in the queue, and what stops it alone."""
        request = ReplyRequest(
            transcript.id,
            messages,
            approval.ask,
            approval.off,
            self._ask,
            self._think,
            transcript.count_tokens,
            approval.edited,
            transcript.add_late_results,
            transcript.note_files,
        )
        self._request = request
        # The writer gives the request another function than it has now.
        transcript.reply_text = lambda: request.reply()
        transcript.begin((*messages, Message("assistant", "", finished=False, reply=request.message)))
        transcript.save()

    def stop(self, why: str) -> None:
        """End it early; the first reason counts."""
        self._request.end(why)

    def stop_block(self, ticket: str) -> bool:
        """Stop the block of that ticket, after which the reply goes on; False if another one runs."""
        running, stop = self._running
        if not (running and secrets.compare_digest(running.encode(), ticket.encode())):
            return False
        stop()
        return True

    async def write(self, answer: Answer, ended: Callable[[], None]) -> None:
        """Write it; `ended` is called before its end is shown."""
        request, word = self._request, ""
        try:
            async with contextlib.aclosing(answer(request)) as events:
                async for event in events:
                    self._receive(event)
                    due = self._transcript.unsaved_for > self._save_interval
                    if due or isinstance(event, Waiting | Started | Ended):
                        self._transcript.save()
            word = request.last_word()
        except CodeRunnerError as failure:
            word = str(failure)
        except asyncio.CancelledError:
            request.end("ended")
            word = request.last_word()
            raise
        except Exception:
            log.exception("A reply failed")
            word = "Something went wrong. The app's terminal shows the details."
        finally:
            self._end(word, ended)

    def _end(self, word: str, ended: Callable[[], None]) -> None:
        self._approval.clear()
        self._answers.forget(self._input_ticket)
        *before, last = self._transcript.messages
        parts = message_parts.over(last.parts, word)
        last = replace(last, text=self._request.reply(), parts=parts, finished=True)
        self._transcript.reply_text = None
        ended()
        self._transcript.show((*before, last))
        self._transcript.save()

    def _receive(self, event: Event) -> None:
        if isinstance(event, Waiting | Started | Ended):
            ordinal = event.ordinal
            self._transcript.grow_block(lambda b: replace(b, ordinal=ordinal), visible=False)
        match event:
            case Say(text, part):
                self._say(text, part)
            case Finish(reason):
                self._request.finished = reason
            case _:
                self._change_block(event)

    def _say(self, text: str, part: Part) -> None:
        transcript = self._transcript
        match part:
            case Part.TEXT:
                transcript.grow(message_parts.said(transcript.parts, text))
            case Part.THOUGHT:
                self._think(text)
            case Part.CODE:
                transcript.grow(message_parts.coded(transcript.parts, text, secrets.token_urlsafe(18)))
            case Part.RESULT:
                transcript.grow_block(lambda b: replace(b, read=b.read + text))

    def _change_block(self, event: Event) -> None:
        grow_block = self._transcript.grow_block
        match event:
            case Waiting(cell):
                ticket = self._approval.ticket
                grow_block(lambda b: block_transitions.asked(b, cell.source, ticket))
            case Started(cell, panel=panel, stop=stop):
                self._approval.clear()
                ticket, queued = secrets.token_urlsafe(18), self._detached.busy
                self._running = (ticket, stop)
                grow_block(
                    lambda b: block_transitions.started(b, cell.source, ticket, queued=queued, panel=panel)
                )
            case Preparing(words):
                grow_block(lambda b: block_transitions.prepared(b, words))
            case Connection(lost):
                grow_block(lambda b: block_transitions.cut_off(b, lost))
            case Shown(change):
                grow_block(lambda b: block_transitions.showed(b, change.index, change.output))
            case Asked(question):
                grow_block(lambda b: block_transitions.inquired(b, replace(question, id=self._input_ticket)))
            case Answered():
                self._answers.forget(self._input_ticket)
                grow_block(lambda b: block_transitions.inquired(b, None))
            case Beat(elapsed):
                # Pages run their own clocks; a page that is opened later starts its clock from here.
                grow_block(lambda b: block_transitions.aged(b, elapsed), visible=False)
            case Ended(result, running=running, later=later):
                self._end_block(result, running, later)

    def _end_block(self, result: Result, running: Late | None, later: LateOutputRecorder | None) -> None:
        self._running = ("", lambda: None)
        if running is None:
            self._approval.clear()
            self._transcript.grow_block(lambda b: block_transitions.ended(b, result))
        ticket = self._transcript.block_ticket
        self._detached.listen(ticket, later)
        if running is not None:
            self._transcript.grow_block(lambda b: block_transitions.went_on(b, result))
            self._detached.follow(ticket, running, result)

    def _think(self, text: str) -> None:
        self._transcript.grow(message_parts.thought(self._transcript.parts, text))

    def _ask(self, _question: Question) -> Future[Secret]:
        self._answers.forget(self._input_ticket)
        self._input_ticket, answer = self._answers.expect()
        return answer
