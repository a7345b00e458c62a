"""One conversation: its messages, the reply that is being written, and who looks at it.

A reply belongs to the conversation, not to the page that asked for it: it goes on over a reload, each page
that shows the conversation follows it, and when nobody follows any more it ends by itself. Everything here
runs in one event loop.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Literal

from coderunner.errors import CodeRunnerError
from coderunner.hosts.app.choices.choices import Approve
from coderunner.hosts.app.conversation import message_parts
from coderunner.hosts.app.conversation.detached_cells import DetachedCells, from_outside
from coderunner.hosts.app.conversation.followers import Followers
from coderunner.hosts.app.conversation.message_parts import Message, Parts, Past, Thought
from coderunner.hosts.app.conversation.reply_request import Answer, ReplyRequest
from coderunner.hosts.app.conversation.rerun import Again, Reruns, never
from coderunner.ids import new_id
from coderunner.outputs import Result
from coderunner.page import block_updates
from coderunner.page.block_state import Block
from coderunner.page.server.input_requests import InputRequests
from coderunner.page.server.subscriptions import Subscriptions
from coderunner.runner import (
    Answered,
    Asked,
    Beat,
    Change,
    Ended,
    Event,
    Finish,
    Late,
    LateResults,
    Part,
    Question,
    Run,
    Say,
    Shown,
    Started,
    Waiting,
    declined,
    granted,
    later_of,
)
from coderunner.secret import Secret
from coderunner.text.surrogates import whole

log = logging.getLogger(__name__)

PATIENCE = 20.0
"""Seconds without any page until a reply ends: a reload takes two, on a slow machine ten."""

FRAME = 0.12
"""Seconds between two pictures of a reply: as fast as reading needs, slow enough for the page to keep up:
each costs some 300 bytes beside its words. The first one after a pause is given at once."""

UNSEEN = 0.3
"""The same while it thinks: what is thought is folded."""

KEPT = 3.0
"""Seconds after which a reply is written down again while it grows."""

LIFE = 5.0
"""Seconds until a picture is given also where nothing has changed: only then the page's framework notices
that its page is gone, and closes us."""

Mood = Literal["", "writing", "asking"]


Keep = Callable[[str, Sequence[Message]], None]
"""Writes down the messages of the conversation of an id, soon; returns at once."""


def unkept(_identity: str, _messages: Sequence[Message]) -> None:
    """Write nothing down."""


class Conversation:
    """A chat with its own kernel; `id` cannot be guessed and is the right to see it."""

    def __init__(
        self,
        answer: Answer,
        approve: Callable[[], Approve],
        *,
        patience: float = PATIENCE,
        pause: float = KEPT,
        subscriptions: Subscriptions | None = None,
        again: Again = never,
        keep: Keep = unkept,
        known: tuple[str, tuple[Message, ...]] | None = None,
    ) -> None:
        """`pause`: seconds after which a reply is written down again while it grows.

        `subscriptions`: where its blocks are seen; `again` runs one of them once more; `keep` writes it down.

        `known`: the id and the messages of one that began earlier.
        """
        self.id, self.messages = known or (new_id(), ())
        self.always = False
        """The person said that cells of this conversation may run without being asked for."""
        self.version = 0
        """Grows with each change that a page can show."""
        self._answer = answer
        self._approve = approve
        self._followers = Followers(patience, self._leave)
        self._subscriptions = subscriptions or Subscriptions()
        self._keep = keep
        self._pause = pause
        self._kept = 0.0
        self._changed = asyncio.Event()
        self._request: ReplyRequest | None = None
        self.writing: asyncio.Task[None] | None = None
        """Writes the reply."""
        self._questions: dict[str, Future[bool]] = {}
        self._answers = InputRequests()
        self._asked = ""
        """The ticket of what the reply's program asks."""
        self._late = DetachedCells(self._change_block, self._late_ended, self._answers)
        self._untold = ""
        """What the model is to read before the next message."""
        self._repeats = Reruns(self.id, again, self._change_block, self.tell_the_model, self._answers)
        for block in message_parts.blocks(self.messages):
            self._follow_later(block.ticket, later_of(block.panel))
        self._subscriptions.show(message_parts.blocks(self.messages))

    @property
    def busy(self) -> bool:
        """A reply is being written."""
        return self.writing is not None and not self.writing.done()

    @property
    def mood(self) -> Mood:
        """What goes on in it, for somebody who looks at another one."""
        if self._questions or self._answers:
            return "asking"
        return "writing" if self.busy or self._late.busy else ""

    @property
    def at_rest(self) -> bool:
        """Nothing goes on in it, nobody looks at it, and all that it knows is written down."""
        watched = self._subscriptions.watched(block.id for block in message_parts.blocks(self.messages))
        busy = self.busy or self._repeats.busy or self._late.busy or self._followers
        return not (busy or self._untold or watched)

    def say(self, text: str) -> bool:
        """Take a message and start the reply to it; False while one is being written."""
        return bool(text.strip()) and self._begin((*self.messages, Message("user", whole(text))))

    def retry(self) -> bool:
        """Write the last reply anew. The kernel keeps its variables."""
        kept = list(self.messages)
        while kept and kept[-1].role == "assistant":
            kept.pop()
        return bool(kept) and self._begin(tuple(kept))

    def edit(self, index: int, text: str) -> bool:
        """Put `text` in place of the user's message at `index` and go on from there; what came after is gone.

        The kernel keeps its variables, also those of the part that is gone.
        """
        known = 0 <= index < len(self.messages) and self.messages[index].role == "user"
        if not known or not text.strip():
            return False
        late = "".join(message.late for message in self.messages[index:])
        return self._begin((*self.messages[:index], Message("user", whole(text), late=late)))

    def blocks(self) -> list[Past]:
        """All blocks that ran well, in their order."""
        return message_parts.ran_well(self.messages)

    def tell_the_model(self, words: str) -> None:
        """Have the model read `words` before the next message."""
        self._untold += f"{words}\n"

    def stop(self, why: str = "stopped") -> None:
        """End the reply: close the model's stream, interrupt the kernel. Returns at once.

        `why` is said below it, as `endings.REPLIES` has it.
        """
        if self._request is not None:
            self._request.end(why)

    async def close(self) -> None:
        """Stop and wait for the end of the reply, bounded."""
        self.stop("ended")
        await self._repeats.close()
        if self.writing is not None:
            _, late = await asyncio.wait({self.writing}, timeout=3.0)
            for task in late:
                task.cancel()

    def act(self, ticket: str, verb: str) -> bool:
        """Do what a button of a block says; False where the ticket is of no block that waits or runs."""
        match verb, self._questions.get(ticket):
            case "stop", None if self._is_running(ticket):
                self.stop()
            case "again", None if self._approve() != "off" and (
                block := message_parts.repeatable(self.messages, ticket)
            ):
                before = self.messages
                self._repeats.begin(ticket, block)
                self._subscriptions.forget(message_parts.gone(before, self.messages))
            case (("run" | "always" | "skip"), Future() as question) if not question.done():
                self.always = self.always or verb == "always"
                question.set_result(verb != "skip")
            case "cancel", None:
                return self._answers.give(ticket, None)
            case _:
                return self._late.act(ticket, verb) or self._repeats.act(ticket, verb)
        return True

    def answer(self, ticket: str, text: Secret) -> bool:
        """Answer what a program asks; False where it does not (any more): the first answer counts."""
        return self._answers.give(ticket, text)

    async def follow(self) -> AsyncGenerator[None]:
        """Give control at each new picture of the reply, now and then without one, and after its end."""
        self._followers.come()
        now, last = asyncio.get_running_loop().time, 0.0
        try:
            while self.busy or self._repeats.busy:
                # Taken before the picture, so that no change between the two is lost.
                changed, last = self._changed, now()
                yield
                # Not by `wait_for`, which up to Python 3.11 may keep to itself that a page has left.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LIFE):
                        await changed.wait()
                thinks = self.busy and isinstance((self._parts or (None,))[-1], Thought)
                await asyncio.sleep(last + (UNSEEN if thinks else FRAME) - now())
            yield
        finally:
            self._followers.go()

    # --- writing a reply ----------------------------------------------------------------------------------

    def _begin(self, messages: tuple[Message, ...]) -> bool:
        if self.busy:
            return False
        late, self._untold = messages[-1].late + self._untold, ""
        messages = (*messages[:-1], replace(messages[-1], late=late))
        request = ReplyRequest(
            self.id, messages, self._consent, self._ask, self._think, self._count, self._remember
        )
        self._request, before = request, self.messages
        self._show((*messages, Message("assistant", "", finished=False, reply=request.message)))
        self._subscriptions.forget(message_parts.gone(before, self.messages))
        self._write_down()
        self.writing = asyncio.create_task(self._write(request))
        self._followers.begin()
        return True

    async def _write(self, request: ReplyRequest) -> None:
        word = ""
        try:
            async with contextlib.aclosing(self._answer(request)) as events:
                async for event in events:
                    self._receive(event, request)
                    due = asyncio.get_running_loop().time() - self._kept > self._pause
                    if due or isinstance(event, Waiting | Started | Ended):
                        self._write_down()
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
            self._questions.clear()
            self._answers.forget(self._asked)
            *before, last = self.messages
            parts = message_parts.over(last.parts, word)
            last = replace(last, text=request.reply(), parts=parts, finished=True)
            self._request = self.writing = None
            self._followers.end()
            self._show((*before, last))
            self._write_down()

    def _write_down(self) -> None:
        """Have it kept as it is now."""
        self._kept = asyncio.get_running_loop().time()
        *before, last = self.messages
        so_far = self._request.reply() if self._request else last.text
        self._keep(self.id, (*before, replace(last, text=so_far)))

    def _receive(self, event: Event, request: ReplyRequest) -> None:
        if isinstance(event, Waiting | Started | Ended):
            ordinal = event.ordinal
            self._grow_block(lambda b: replace(b, ordinal=ordinal), visible=False)
        match event:
            case Say(text, Part.TEXT):
                self._grow(message_parts.said(self._parts, text))
            case Say(text, Part.THOUGHT):
                self._grow(message_parts.thought(self._parts, text))
            case Say(text, Part.CODE):
                self._grow(message_parts.coded(self._parts, text, secrets.token_urlsafe(18)))
            case Say(text, Part.RESULT):
                self._grow_block(lambda b: replace(b, read=b.read + text))
            case Waiting(cell):
                ticket = next(iter(self._questions))
                self._grow_block(lambda b: block_updates.asked(b, cell.source, ticket))
            case Started(cell, panel=panel):
                self._questions.clear()
                ticket, queued = secrets.token_urlsafe(18), self._late.busy
                self._grow_block(
                    lambda b: block_updates.started(b, cell.source, ticket, queued=queued, panel=panel)
                )
            case Shown(change):
                self._grow_block(lambda b: block_updates.showed(b, change.index, change.output))
            case Asked(question):
                self._grow_block(lambda b: block_updates.inquired(b, replace(question, id=self._asked)))
            case Answered():
                self._answers.forget(self._asked)
                self._grow_block(lambda b: block_updates.inquired(b, None))
            case Beat(elapsed):
                # Pages run their own clocks; a new page starts its clock from here.
                self._grow_block(lambda b: block_updates.aged(b, elapsed), visible=False)
            case Ended(result, running=running, later=later) if running is not None:
                self._follow_late(running, later, result)
            case Ended(result, later=later):
                self._questions.clear()
                self._grow_block(lambda b: block_updates.ended(b, result))
                self._follow_later(message_parts.ticket_of(self._parts), later)
            case Finish(reason):
                request.finished = reason

    def _consent(self, _run: Run) -> Future[bool]:
        approve = self._approve()
        if approve == "off":
            return declined(_run)
        if approve == "auto" or self.always:
            return granted(_run)
        question: Future[bool] = Future()
        self._questions = {secrets.token_urlsafe(18): question}
        return question

    def _ask(self, _question: Question) -> Future[Secret]:
        self._answers.forget(self._asked)
        self._asked, answer = self._answers.expect()
        return answer

    def _follow_later(self, ticket: str, later: LateResults | None) -> None:
        """Show what threads and tasks of the block of that ticket show after its end."""
        loop = asyncio.get_running_loop()

        def show(told: Change) -> None:
            self._change_block(ticket, lambda b: block_updates.showed_later(b, told.index, told.output))

        if later is not None and ticket:
            later.listen(lambda told: from_outside(loop, show, told))

    def _follow_late(self, running: Late, later: LateResults | None, result: Result) -> None:
        """Show what becomes of a block that goes on, wherever it then stands in the conversation."""
        self._follow_later(message_parts.ticket_of(self._parts), later)
        self._grow_block(lambda b: block_updates.went_on(b, result))
        self._late.follow(message_parts.ticket_of(self._parts), running, result)

    def _late_ended(self) -> None:
        self._write_down()
        if not self._late.busy and self.messages:
            self._grow_block(block_updates.came_up)

    def _remember(self, late: str) -> None:
        *before, message, reply = self.messages
        self._show((*before, replace(message, late=message.late + late), reply))
        self._write_down()

    def _think(self, text: str) -> None:
        self._grow(message_parts.thought(self._parts, text))

    def _count(self, tokens: int) -> None:
        *before, last = self.messages
        self.messages = (*before, replace(last, tokens=tokens))

    def _is_running(self, ticket: str) -> bool:
        match self._parts:
            case (*_, Block() as block) if block.stoppable:
                return secrets.compare_digest(block.ticket, ticket)
            case _:
                return False

    @property
    def _parts(self) -> Parts:
        return self.messages[-1].parts

    def _grow(self, parts: Parts, *, visible: bool = True) -> None:
        *before, last = self.messages
        messages = (*before, replace(last, parts=parts))
        if visible:
            self._show(messages)
        else:
            self._subscriptions.show(message_parts.blocks(messages[-1:]), quietly=True)
            self.messages = messages

    def _grow_block(self, grow: Callable[[Block], Block], *, visible: bool = True) -> None:
        """Have the block that is at work grow."""
        self._grow(message_parts.grown(self._parts, grow), visible=visible)

    def _show(self, messages: tuple[Message, ...]) -> None:
        before, self.messages = self.messages, messages
        fresh = message_parts.changed(before, messages)
        self._subscriptions.show(message_parts.blocks(fresh))
        self.version += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _change_block(self, ticket: str, change: Callable[[Block], Block]) -> None:
        self._show(message_parts.with_block(self.messages, ticket, change))

    def _leave(self) -> None:
        log.info("No page shows the conversation any more: stopping its reply")
        self.stop("left")
