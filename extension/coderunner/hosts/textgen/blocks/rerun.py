"""Blocks that the user runs again, each in its own thread, independent of any reply."""

import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from itertools import chain
from typing import Protocol

from coderunner.outputs import Cell, Question
from coderunner.page import block_transitions
from coderunner.page.block_state import Block, State
from coderunner.runner import (
    Answered,
    Asked,
    Beat,
    Connection,
    Ended,
    Event,
    Preparing,
    Run,
    RunOptions,
    Session,
    Shown,
    Started,
    ran_again,
    ran_edited,
    run_cell_sync,
)
from coderunner.secret_value import Secret
from coderunner.text.line_diff import differ

log = logging.getLogger(__name__)


class Change(Protocol):
    """Changes how a repeated run looks; `quietly`: pages already know the change."""

    def __call__(self, grow: Callable[[Block], Block], *, quietly: bool = False) -> None:
        """Change it."""


Prepare = Callable[[Callable[[], bool]], Iterator[Event]]
"""What is done first, until somebody stops it; an `Ended` says that the block cannot run."""

Ask = Callable[[], tuple[str, Future[Secret]]]
"""Gives a ticket for a request for input, and its future answer."""


class Reruns:
    """The running ones; may be used from any thread."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._running: dict[str, threading.Event] = {}

    def stop(self, ticket: str) -> bool:
        """Stop one; False if none of that ticket runs."""
        if (stop := self._running.get(ticket)) is None:
            return False
        stop.set()
        return True

    def begin(
        self,
        block: Block,
        options: RunOptions,
        prepare: Prepare,
        session: Callable[[], Session],
        change: Change,
        tell: Callable[[str], None],
        edited: str = "",
    ) -> None:
        """Run a block again, once it is prepared; returns at once. `tell` gets the text for the model.

        `edited` is what a person wants to run in place of its code.
        """
        own = secrets.token_urlsafe(18)
        changed = bool(edited) and differ(block.source, edited)
        again = Block(
            source=edited if changed else block.source,
            state=State.RUNNING,
            ticket=own,
            id=own,
            repeat=True,
            of=block.ticket,
            first=block.source if changed else "",
        )
        self._running[own] = threading.Event()
        change(lambda _before: again)
        work = (again, block.ordinal or 0, options, prepare, session, change, tell)
        threading.Thread(target=self._run, args=work, daemon=True).start()

    def _run(
        self,
        again: Block,
        ordinal: int,
        options: RunOptions,
        prepare: Prepare,
        session: Callable[[], Session],
        change: Change,
        tell: Callable[[str], None],
    ) -> None:
        asked = [""]

        def ask(_question: Question) -> Future[Secret]:
            asked[0], answer = self._ask()
            return answer

        own, run = again.ticket, Run(Cell(again.source), ordinal)
        try:
            stopped, options = self._running[own].is_set, replace(options, ask=ask)

            def ran() -> Iterator[Event]:
                yield from run_cell_sync(run, session(), options, stopped, [])

            for event in chain(prepare(stopped), ran()):
                _show(event, change, asked)
                if isinstance(event, Ended):
                    told = ran_edited(again.first, again.source, event.result) if again.first else None
                    tell(told or ran_again(again.source, event.result))
                    break
        except Exception:
            log.exception("a block could not be run again")
        finally:
            del self._running[own]
            change(block_transitions.left)


def _show(event: Event, change: Change, asked: list[str]) -> None:
    match event:
        case Preparing(words):
            change(lambda b: block_transitions.prepared(b, words))
        case Started(_cell, _ordinal, panel):
            change(lambda b: replace(b, panel=panel, preparing=""))
        case Connection(lost):
            change(lambda b: block_transitions.cut_off(b, lost))
        case Shown(told):
            change(lambda b: block_transitions.showed(b, told.index, told.output))
        case Asked(question):
            change(lambda b: replace(b, question=replace(question, id=asked[0])))
        case Answered():
            change(lambda b: replace(b, question=None))
        case Beat(elapsed):
            change(lambda b: block_transitions.aged(b, elapsed), quietly=True)
        case Ended(result):
            change(lambda b: block_transitions.ended(b, result))
