"""The blocks of a conversation that a person has run once more: each beside what it showed before."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from coderunner.hosts.app import transcript
from coderunner.hosts.app.transcript import Parts, Past
from coderunner.outputs import Cell, Question
from coderunner.page.block import Block
from coderunner.runner import Answered, Asked, Beat, Ended, Event, Shown, Started, ran_again
from coderunner.secret import Secret

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Repeat:
    """A block that somebody wants to be run once more."""

    conversation: str
    block: Past
    ask: Callable[[Question], Future[Secret]] | None = None
    """None: nobody can be asked."""
    stop: asyncio.Event = field(default_factory=asyncio.Event)


Again = Callable[[Repeat], AsyncGenerator[Event]]
"""Runs it, and gives what happens."""
ChangeBlock = Callable[[str, Callable[[Block], Block]], None]
"""Changes the block of a ticket, wherever it stands by then."""


async def never(_repeat: Repeat) -> AsyncGenerator[Event]:
    """Run nothing."""
    nothing: tuple[Event, ...] = ()
    for event in nothing:
        yield event


class Repeats:
    """Those of one conversation; in its loop."""

    def __init__(
        self, conversation: str, again: Again, change: ChangeBlock, tell_the_model: Callable[[str], None]
    ) -> None:
        self._conversation = conversation
        self._again = again
        self._change = change
        self._tell_the_model = tell_the_model
        self._running: dict[str, Repeat] = {}
        self._answers: dict[str, Future[Secret]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """One runs or waits for its turn."""
        return bool(self._tasks)

    def begin(self, ticket: str, block: Past) -> None:
        """Run the block of that ticket once more; returns at once."""
        own = secrets.token_urlsafe(18)
        new = Block(id=secrets.token_urlsafe(18), repeat=True)
        parts = transcript.started((new,), Cell(block.source), own)
        self._show(ticket, parts)
        task = asyncio.create_task(self._run(ticket, own, block, parts))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def act(self, ticket: str, verb: str) -> bool:
        """Do what a button of a repeat says; False where the ticket is of none that runs."""
        match verb:
            case "stop" if ticket in self._running:
                self._running[ticket].stop.set()
                return True
            case "cancel" if ticket in self._answers:
                return self._answers.pop(ticket).cancel()
        return False

    def answer(self, ticket: str, text: Secret) -> bool:
        """Answer what a program asks; False where it does not (any more)."""
        answer = self._answers.pop(ticket, None)
        if answer is None or answer.done():
            return False
        answer.set_result(text)
        return True

    async def close(self) -> None:
        """Stop all, bounded."""
        for repeat in self._running.values():
            repeat.stop.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=3.0)

    async def _run(self, ticket: str, own: str, block: Past, parts: Parts) -> None:
        asked: list[str] = []

        def ask(_question: Question) -> Future[Secret]:
            asked[:] = [secrets.token_urlsafe(18)]
            answer = self._answers[asked[0]] = Future()
            return answer

        self._running[own] = repeat = Repeat(self._conversation, block, ask)
        try:
            async with contextlib.aclosing(self._again(repeat)) as events:
                async for event in events:
                    parts = self._after(event, ticket, block, parts, asked)
        except Exception:
            log.exception("A block could not be run again")
        finally:
            del self._running[own]
            for question in asked:
                self._answers.pop(question, None)
            self._show(ticket, transcript.closed(parts))

    def _after(self, event: Event, ticket: str, block: Past, parts: Parts, asked: list[str]) -> Parts:
        """Take what happens; gives the block as it is then."""
        match event:
            case Started(cell, panel=panel):
                parts = transcript.started(parts, cell, transcript.ticket_of(parts), panel=panel)
            case Shown(change):
                parts = transcript.showed(parts, change.index, change.output)
            case Asked(question):
                parts = transcript.inquired(parts, replace(question, id=asked[0]))
            case Answered():
                parts = transcript.inquired(parts, None)
            case Beat(elapsed):
                return transcript.aged(parts, elapsed)
            case Ended(result):
                parts = transcript.ended(parts, result)
                self._tell_the_model(ran_again(block.source, result))
        self._show(ticket, parts)
        return parts

    def _show(self, ticket: str, parts: Parts) -> None:
        (again,) = parts
        self._change(ticket, lambda block: replace(block, again=again))  # type: ignore[arg-type]
