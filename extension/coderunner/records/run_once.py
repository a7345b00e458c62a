"""What the runner needs of the records: one reply's blocks, each run once."""

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from coderunner.errors import RecordsUnavailable
from coderunner.outputs import Cell, Output, Result, Status
from coderunner.records.database.run_queries import Key, Record
from coderunner.records.run_registry import Records

log = logging.getLogger(__name__)


class ReplyRun(Protocol):
    """A run that is saved while it goes on. Only `send` takes time, and only it raises."""

    def send(self, request: str) -> bool:
        """Call this right before the request of that id is sent; where this is False it must not be."""

    def show(self, index: int, output: Output | None) -> None:
        """`output` now stands at `index`; None: all from there on are gone."""

    def add(self, index: int, output: Output | None) -> None:
        """The same for what the run shows after its end, a list of its own."""

    def keep(self, widgets: str) -> None:
        """The state of the widgets that the run shows is this, as nbformat keeps it."""

    def keep_module(self, name: str, content: str) -> None:
        """That is a program of these widgets."""

    def detach(self, result: Result) -> None:
        """The run goes on after its deadline, and the model is told `result`."""

    def leave(self, seconds: float) -> None:
        """Nobody told the model of the run, which goes on; who asks for it waits for it that long."""

    def finish(self, result: Result) -> None:
        """The run has ended."""


class ReplyRuns(Protocol):
    """The runs of one reply. May take milliseconds; raises nothing."""

    def recall(self, cell: Cell, ordinal: int) -> Future[Result] | None:
        """What came, or comes, of a block that was run before; None where it was not."""

    def claim(self, cell: Cell, ordinal: int) -> ReplyRun | Future[Result]:
        """The right to run a block; or what comes of it where somebody else has that."""

    def told(self, results: Sequence[Result]) -> Sequence[Result]:
        """The model is told these, of cells that went on after their deadline; returns the new ones."""

    def left_behind(self) -> Sequence[Result]:
        """What earlier processes left untold in this conversation, each of them once."""


class UnrecordedRuns:
    """Saves nothing: stands in for both the records and a run."""

    def recall(self, _cell: Cell, _ordinal: int) -> None:
        """Return nothing."""

    def claim(self, _cell: Cell, _ordinal: int) -> ReplyRun:
        """Let everything run."""
        return self

    def told(self, results: Sequence[Result]) -> Sequence[Result]:
        """Return none."""
        return results

    def left_behind(self) -> Sequence[Result]:
        """Return nothing."""
        return ()

    def send(self, _request: str) -> bool:
        """Let it be sent."""
        return True

    def show(self, index: int, output: Output | None) -> None:
        """Forget it."""

    def add(self, index: int, output: Output | None) -> None:
        """Forget it."""

    def keep(self, widgets: str) -> None:
        """Forget it."""

    def keep_module(self, name: str, content: str) -> None:
        """Forget it."""

    def detach(self, result: Result) -> None:
        """Forget it."""

    def leave(self, seconds: float) -> None:
        """Forget it."""

    def finish(self, result: Result) -> None:
        """Forget it."""


@dataclass(frozen=True, slots=True)
class RecordedRuns:
    """The runs of one reply in the records.

    Where they cannot be read or written no block runs: it might be one that ran already.
    """

    records: Records
    conversation: str
    message: str
    place: str = ""
    """Where its cells run, in words."""
    again: bool = False
    """A person wants them run once more, although they were."""

    def recall(self, cell: Cell, ordinal: int) -> Future[Result] | None:
        """What came, or comes, of a block that was run before; None where it was not, or is to run again."""
        if self.again:
            return None
        try:
            record = self.records.recall(self._key(ordinal), cell.source)
            return None if record is None else self._tell(record)
        except RecordsUnavailable as failure:
            return _refused(failure)

    def claim(self, cell: Cell, ordinal: int) -> ReplyRun | Future[Result]:
        """The right to run a block; or what comes of it where somebody else has that."""
        try:
            key = self._key(ordinal)
            claimed = self.records.claim(key, cell.source, place=self.place, again=self.again)
            return self._tell(claimed) if isinstance(claimed, Record) else claimed
        except RecordsUnavailable as failure:
            return _refused(failure)

    def told(self, results: Sequence[Result]) -> Sequence[Result]:
        """The model is told these, of cells that went on after their deadline; returns the new ones."""
        return [result for result in results if self._is_new(result)]

    def _is_new(self, result: Result) -> bool:
        try:
            return self.records.told(result)
        except RecordsUnavailable as failure:
            log.warning("%s", failure)
            return True

    def left_behind(self) -> Sequence[Result]:
        """What earlier processes left untold in this conversation, each of them once."""
        try:
            taken = self.records.take_undelivered(self.conversation)
        except RecordsUnavailable as failure:
            # They are told another time; that the database is away is said by whoever writes to it.
            log.info("%s", failure)
            return ()
        return [record.result for record in taken if record.result is not None]

    def _tell(self, record: Record) -> Future[Result]:
        self.records.deliver(record)
        return self.records.ended(record)

    def _key(self, ordinal: int) -> Key:
        return Key(self.conversation, self.message, ordinal)


def _refused(failure: RecordsUnavailable) -> Future[Result]:
    future: Future[Result] = Future()
    future.set_result(Result(status=Status.UNRECORDED, detail=str(failure)))
    return future
