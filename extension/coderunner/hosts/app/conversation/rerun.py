"""Reruns: blocks that a person runs again, each shown below its first run."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from coderunner.hosts.app.conversation.message_parts import Past
from coderunner.outputs import Question, Refusal
from coderunner.page import block_transitions
from coderunner.page.block_state import Block
from coderunner.page.server.input_requests import InputRequests
from coderunner.runner import (
    Answered,
    Asked,
    Beat,
    Connection,
    Ended,
    Event,
    Preparing,
    Shown,
    Started,
    ran_again,
    ran_edited,
)
from coderunner.secret_value import Secret

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Rerun:
    """A request to run a block again."""

    conversation: str
    block: Past
    allowed: Refusal | None = None
    """What is allowed first."""
    ask: Callable[[Question], Future[Secret]] | None = None
    """None: nobody can be asked for input."""
    stop: asyncio.Event = field(default_factory=asyncio.Event)


Again = Callable[[Rerun], AsyncGenerator[Event]]
"""Runs it and gives its events."""
ChangeBlock = Callable[[str, Callable[[Block], Block]], None]
"""Changes the block of a ticket, wherever it is by then."""


async def never(_repeat: Rerun) -> AsyncGenerator[Event]:
    """Run nothing."""
    nothing: tuple[Event, ...] = ()
    for event in nothing:
        yield event


class Reruns:
    """The reruns of one conversation; used in its event loop only."""

    def __init__(
        self,
        conversation: str,
        again: Again,
        change: ChangeBlock,
        tell_the_model: Callable[[str], None],
        answers: InputRequests,
    ) -> None:
        self._conversation = conversation
        self._again = again
        self._change = change
        self._tell_the_model = tell_the_model
        self._running: dict[str, Rerun] = {}
        self._answers = answers
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether one runs or waits for its turn."""
        return bool(self._tasks)

    def begin(self, ticket: str, block: Past, allowed: Refusal | None = None) -> None:
        """Run the block of that ticket again, once something is allowed; returns at once."""
        own = secrets.token_urlsafe(18)
        inner = Block(id=secrets.token_urlsafe(18), repeat=True, of=ticket, first=block.first)
        new = block_transitions.started(inner, block.source, own)
        # At once: it may be stopped before its task begins.
        self._running[own] = repeat = Rerun(self._conversation, block, allowed)
        self._show(ticket, new)
        task = asyncio.create_task(self._run(ticket, repeat, new))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def act(self, ticket: str, verb: str) -> bool:
        """Handle a button of a rerun; False if the ticket belongs to none that runs."""
        if verb != "stop" or ticket not in self._running:
            return False
        self._running[ticket].stop.set()
        return True

    async def close(self) -> None:
        """Stop all, bounded."""
        for repeat in self._running.values():
            repeat.stop.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=3.0)

    async def _run(self, ticket: str, repeat: Rerun, again: Block) -> None:
        asked = [""]

        def ask(_question: Question) -> Future[Secret]:
            asked[0], answer = self._answers.expect()
            return answer

        repeat.ask = ask
        try:
            async with contextlib.aclosing(self._again(repeat)) as events:
                async for event in events:
                    again = self._after(event, ticket, again, asked)
        except Exception:
            log.exception("A block could not be run again")
        finally:
            del self._running[again.ticket]
            self._answers.forget(asked[0])
            self._show(ticket, block_transitions.left(again))

    def _after(self, event: Event, ticket: str, again: Block, asked: list[str]) -> Block:
        """Apply an event, and give the block as it is then."""
        match event:
            case Preparing(words):
                again = block_transitions.prepared(again, words)
            case Started(cell, panel=panel):
                again = block_transitions.started(again, cell.source, again.ticket, panel=panel)
            case Connection(lost):
                again = block_transitions.cut_off(again, lost)
            case Shown(change):
                again = block_transitions.showed(again, change.index, change.output)
            case Asked(question):
                again = block_transitions.inquired(again, replace(question, id=asked[0]))
            case Answered():
                again = block_transitions.inquired(again, None)
            case Beat(elapsed):
                return block_transitions.aged(again, elapsed)
            case Ended(result):
                again = block_transitions.ended(again, result)
                told = ran_edited(again.first, again.source, result) if again.first else None
                self._tell_the_model(told or ran_again(again.source, result))
        self._show(ticket, again)
        return again

    def _show(self, ticket: str, again: Block) -> None:
        self._change(ticket, lambda block: replace(block, again=again))
