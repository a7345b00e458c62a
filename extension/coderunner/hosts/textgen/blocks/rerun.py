"""Blocks that the user runs again, each in its own thread, independent of any reply."""

import logging
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Protocol

from coderunner.outputs import Cell, Question
from coderunner.page import block_transitions
from coderunner.page.block_state import Block, State
from coderunner.runner import (
    Answered,
    Asked,
    Beat,
    Ended,
    Event,
    Run,
    RunOptions,
    Session,
    Shown,
    Started,
    ran_again,
    run_cell_sync,
)
from coderunner.secret_value import Secret

log = logging.getLogger(__name__)


class Change(Protocol):
    """Changes how a repeated run looks; `quietly`: pages already know the change."""

    def __call__(self, grow: Callable[[Block], Block], *, quietly: bool = False) -> None:
        """Change it."""


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
        session: Callable[[], Session],
        change: Change,
        tell: Callable[[str], None],
    ) -> None:
        """Run a block again; returns at once. `tell` gets the text about it for the model."""
        own = secrets.token_urlsafe(18)
        again = Block(
            source=block.source, state=State.RUNNING, ticket=own, id=own, repeat=True, of=block.ticket
        )
        self._running[own] = threading.Event()
        change(lambda _before: again)
        work = (own, block, options, session, change, tell)
        threading.Thread(target=self._run, args=work, daemon=True).start()

    def _run(
        self,
        own: str,
        block: Block,
        options: RunOptions,
        session: Callable[[], Session],
        change: Change,
        tell: Callable[[str], None],
    ) -> None:
        asked = [""]

        def ask(_question: Question) -> Future[Secret]:
            asked[0], answer = self._ask()
            return answer

        run = Run(Cell(block.source), block.ordinal or 0)
        try:
            stopped, options = self._running[own].is_set, replace(options, ask=ask)
            for event in run_cell_sync(run, session(), options, stopped, []):
                _show(event, change, asked)
                if isinstance(event, Ended):
                    tell(ran_again(block.source, event.result))
        except Exception:
            log.exception("a block could not be run again")
        finally:
            del self._running[own]
            change(block_transitions.left)


def _show(event: Event, change: Change, asked: list[str]) -> None:
    match event:
        case Started(_cell, _ordinal, panel):
            change(lambda b: replace(b, panel=panel))
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
