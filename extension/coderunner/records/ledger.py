"""What the hall needs of the records: one reply's blocks, each of them run once."""

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from coderunner.errors import RecordsUnavailable
from coderunner.outputs import Cell, Output, Result, Status
from coderunner.records.book import Records
from coderunner.records.rows import Key, Record


class Entry(Protocol):
    """A run that is written down while it goes on. Only `send` takes time, and only it raises."""

    def send(self) -> bool:
        """To be called right before the request is sent, which it must not be where this is False."""

    def show(self, index: int, output: Output | None) -> None:
        """`output` now stands at `index`; None: all from there on are gone."""

    def detach(self, result: Result) -> None:
        """The run goes on after its deadline, and the model is told `result`."""

    def finish(self, result: Result) -> None:
        """The run has ended."""


class Ledger(Protocol):
    """The runs of one reply. May take milliseconds; raises nothing."""

    def recall(self, cell: Cell, ordinal: int) -> Future[Result] | None:
        """What came, or comes, of a block that was run before; None where it was not."""

    def claim(self, cell: Cell, ordinal: int) -> Entry | Future[Result]:
        """The right to run a block; or what comes of it where somebody else has that."""


class Unwritten:
    """Keeps nothing: both the ledger and its entries."""

    def recall(self, _cell: Cell, _ordinal: int) -> None:
        """Know of nothing."""

    def claim(self, _cell: Cell, _ordinal: int) -> Entry:
        """Let everything run."""
        return self

    def send(self) -> bool:
        """Let it be sent."""
        return True

    def show(self, index: int, output: Output | None) -> None:
        """Forget it."""

    def detach(self, result: Result) -> None:
        """Forget it."""

    def finish(self, result: Result) -> None:
        """Forget it."""


@dataclass(frozen=True, slots=True)
class ReplyLedger:
    """The runs of one reply in the records.

    Where they cannot be read or written no block runs: it might be one that ran already.
    """

    records: Records
    conversation: str
    message: str

    def recall(self, cell: Cell, ordinal: int) -> Future[Result] | None:
        """What came, or comes, of a block that was run before; None where it was not."""
        try:
            record = self.records.recall(self._key(ordinal), cell.source)
        except RecordsUnavailable as failure:
            return _refused(failure)
        return None if record is None else self.records.ended(record)

    def claim(self, cell: Cell, ordinal: int) -> Entry | Future[Result]:
        """The right to run a block; or what comes of it where somebody else has that."""
        try:
            claimed = self.records.claim(self._key(ordinal), cell.source)
        except RecordsUnavailable as failure:
            return _refused(failure)
        return self.records.ended(claimed) if isinstance(claimed, Record) else claimed

    def _key(self, ordinal: int) -> Key:
        return Key(self.conversation, self.message, ordinal)


def _refused(failure: RecordsUnavailable) -> Future[Result]:
    future: Future[Result] = Future()
    future.set_result(Result(status=Status.REFUSED, detail=str(failure)))
    return future
