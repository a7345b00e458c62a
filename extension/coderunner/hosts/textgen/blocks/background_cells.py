"""Cells that keep running after their deadline, or after their page was closed: shown until they end."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

from coderunner.errors import RecordsUnavailable
from coderunner.hosts.textgen.blocks.block_store import BlockStore
from coderunner.outputs import Question, Result
from coderunner.page import block_transitions
from coderunner.page.server.input_requests import InputRequests
from coderunner.runner import Change, Late, Records
from coderunner.secret_value import Secret

log = logging.getLogger(__name__)

PATIENCE = 60.0
"""Seconds to wait for the end of an interrupted block; the kernel is killed long before."""


@dataclass(frozen=True, slots=True)
class BackgroundCells:
    """Shows their output and their end; may be used from any thread."""

    store: BlockStore
    records: Records
    answers: InputRequests
    ended: Callable[[str], None]
    """Called with the conversation when one has ended."""

    def follow(self, identity: str, running: Late, result: Result) -> None:
        """Show the further output of a cell, and its end; `result` is its state at the deadline."""
        began = time.monotonic() - result.duration
        self.store.change(identity, lambda b: block_transitions.went_on(b, result))

        def show(told: Change) -> None:
            elapsed = time.monotonic() - began
            self.store.change(
                identity, lambda b: block_transitions.late_showed(b, told.index, told.output, elapsed)
            )

        def lose(lost: bool) -> None:  # noqa: FBT001 - the kernel's thread calls it without names
            self.store.change(identity, lambda b: block_transitions.cut_off(b, lost))

        def end(done: Future[Result]) -> None:
            conversation = self.store.set_running(identity, None)
            self.store.change(identity, lambda b: block_transitions.ended(b, done.result()))
            self.ended(conversation)

        self.store.set_running(identity, running)
        running.listen(show, lambda question: self._ask(identity, question), lose)
        running.settled.add_done_callback(end)

    def _ask(self, identity: str, question: Question) -> Future[Secret]:
        ticket, answer = self.answers.expect()
        asked = replace(question, id=ticket)
        self.store.change(identity, lambda b: block_transitions.inquired(b, asked))
        answer.add_done_callback(
            lambda _: self.store.change(identity, lambda b: block_transitions.settled(b, asked))
        )
        return answer

    def stop_unless_watched(self, identity: str, running: Late, seconds: float) -> None:
        """Stop a cell if after that time no page shows its block."""
        timer = threading.Timer(seconds, self._end_unseen, (identity, running))
        timer.daemon = True
        running.settled.add_done_callback(lambda _: timer.cancel())
        timer.start()

    def _end_unseen(self, identity: str, running: Late) -> None:
        if not self.store.subscriptions.watched([identity]):
            log.info("stopping a block that no page shows any more")
            running.interrupt()

    def show_end(self, identity: str) -> None:
        """Show how a block ends whose reply is over, from the records. Returns at once."""
        threading.Thread(target=self._await_end, args=(identity,), daemon=True).start()

    def _await_end(self, identity: str) -> None:
        try:
            runs = self.store.runs(identity)
            end = self.records.ended(runs[-1]).result(PATIENCE) if runs else None
            self.store.change(
                identity, lambda b: block_transitions.ended(b, end) if end else block_transitions.never_ran(b)
            )
        except (RecordsUnavailable, TimeoutError) as failure:
            log.warning("how a block ended is unknown: %s", failure)
            self.store.change(identity, block_transitions.left)
