"""A cell that is on its way, as a host holds it."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from coderunner.kernel.execution.client import KernelClient
from coderunner.kernel.execution.deadline import Detach
from coderunner.kernel.execution.pending_request import OnQuestion
from coderunner.kernel.io_thread import IOThread
from coderunner.kernel.protocol.cell_outputs import Change
from coderunner.kernel.widgets.widget_panel import WidgetPanel
from coderunner.outputs import Question, Result, Status
from coderunner.secret_value import Secret

OnOutput = Callable[[Change], None]
OnLost = Callable[[bool], None]

BUSY = "waited {patience:g} s for it; run this again when that has ended"


class RunningCell:
    """A cell that is on its way; may be used from any thread."""

    def __init__(self, io_thread: IOThread, cell: "QueuedCell", on_output: OnOutput | None = None) -> None:
        self.cell = cell
        cell.on_output = self._show
        self._asker = cell.on_question
        if cell.on_question is not None:
            cell.on_question = self._ask
        self.future: Future[Result] = Future()
        """What there is to go on with: the result, or at the deadline what there is of it. Never fails."""
        self.settled: Future[Result] = Future()
        """The result with which the cell really ended; it never fails."""
        self._io_thread = io_thread
        self._listener = on_output
        self._told_lost, cell.on_lost = cell.on_lost, self._lose

    def begin(self, work: Coroutine[Any, Any, None]) -> "RunningCell":
        """Start what runs the cell and settles it."""
        self._io_thread.begin(work, self._ended)
        return self

    def _ended(self, work: "asyncio.Task[None]") -> None:
        if not self.settled.done():
            self.settle(_lost(work), late=self.future.done())

    def overdue(self, result: Result) -> None:
        """The deadline is over, the cell goes on."""
        self._asker = None
        self.future.set_result(result)

    def settle(self, result: Result, *, late: bool) -> None:
        """The cell has ended: whoever waits is woken before the loop goes round once more.

        `late`: nobody waits any more.
        """
        if not late:
            self.future.set_result(result)
        self.settled.set_result(result)

    def listen(
        self,
        on_output: OnOutput | None,
        on_question: OnQuestion | None = None,
        on_lost: OnLost | None = None,
    ) -> None:
        """Have the outputs so far, and all that changes from now on, given to `on_output` alone.

        In a thread of the kernel's; None: to nobody. The same with what the cell asks, where it may ask, and
        with `on_lost`, as `Session.begin` has it.
        """
        self._listener, self._asker, self._told_lost = on_output, on_question, on_lost
        if on_output is not None:
            self._io_thread.post(self.cell.retell, on_question is not None)

    def _show(self, change: Change) -> None:
        if (listener := self._listener) is not None:
            listener(change)

    def _lose(self, lost: bool) -> None:  # noqa: FBT001 - as `on_lost` is called
        if (told := self._told_lost) is not None:
            told(lost)

    def _ask(self, question: Question | None) -> None:
        if (asker := self._asker) is not None:
            asker(question)

    def wait(self, timeout: float | None = None) -> Result | None:
        """Wait for the end; None when it has not come after `timeout` seconds."""
        try:
            return self.future.result(timeout)
        except TimeoutError:
            return None

    def detach(self) -> None:
        """Have its deadline be over now, where it goes on after that; returns at once."""
        self._io_thread.post(self._hurry)

    def _hurry(self) -> None:
        if not self.future.done():
            self.cell.hurry()

    def interrupt(self) -> None:
        """Have this cell stopped, whether it waits or runs; returns at once.

        A cell that has ended stays as it is.
        """
        self._io_thread.post(self.cell.stop)

    def answer(self, question: str, answer: Secret) -> None:
        """Answer the question of that id with one line; returns at once.

        One that is not open (any more) is left alone, so a late answer never reaches another question.
        """
        self._io_thread.post(self.cell.answer, question, answer)


@dataclass(slots=True, eq=False)
class QueuedCell:
    """One cell between the call and its end."""

    source: str
    deadline: float
    on_output: OnOutput | None = None
    on_question: OnQuestion | None = None
    on_send: Callable[[str], bool] | None = None
    on_wait: Callable[[bool], None] | None = None
    on_lost: OnLost | None = None
    on_later: OnOutput | None = None
    panel: WidgetPanel | None = None
    detach: Detach | None = None
    files: bool = False
    """It is asked which files it makes or changes."""
    task: "asyncio.Task[Result] | None" = None
    client: KernelClient | None = None
    stopped: bool = False
    held: bool = False
    """It waits until there is room for its kernel."""

    def hold(self, *, waits: bool) -> None:
        """Tell once that it waits until there is room for its kernel, or does not any more; in the loop."""
        if waits is not self.held and self.on_wait is not None:
            self.on_wait(waits)
        self.held = waits

    def retell(self, asks: bool) -> None:  # noqa: FBT001 - the loop calls it without names
        """Tell again what it has shown and asks, if it runs; in the loop."""
        if self.client is not None and self.task is not None and not self.task.done():
            self.client.retell(asks=asks)
            if self.on_lost is not None:
                self.on_lost(self.client.away)

    def hurry(self) -> None:
        """Have it go on by itself from now on, or from its beginning, where it may; in the loop."""
        if self.detach is None:
            return
        self.deadline = 0.0
        if self.client is not None:
            self.client.hurry()

    def stop(self) -> None:
        """End it, wherever it is; in the loop."""
        if self.task is None or self.task.done():
            self.stopped = True
        elif self.client is not None:
            self.client.stop()
        elif not self.stopped:
            self.stopped = True
            self.task.cancel()

    def answer(self, question: str, answer: Secret) -> None:
        """Answer what it asks; in the loop."""
        if self.client is not None:
            self.client.answer(question, answer)


class KernelBusy(Exception):
    """The cells before one took longer than it waits for its turn."""


class Turn:
    """A cell's turn, which comes with `async with`. Raises KernelBusy."""

    __slots__ = ("_cell", "_turns")

    def __init__(self, turns: "Turns", cell: QueuedCell) -> None:
        self._turns, self._cell = turns, cell

    async def __aenter__(self) -> None:
        self._turns.cells += 1
        try:
            await self._turns.next()
        except BaseException:
            self._turns.cells -= 1
            raise
        self._turns.current = self._cell

    async def __aexit__(self, *_error: object) -> None:
        self._turns.lock.release()
        self._turns.cells -= 1
        if self._turns.current is self._cell:
            self._turns.current = None


class Turns:
    """The cells of one session, one after the other; lives in the loop."""

    def __init__(self, patience: float | None = None) -> None:
        """`patience`: seconds that a cell waits for those before it; None: until they have ended."""
        self._patience = patience
        self.lock = asyncio.Lock()
        """Held while it is a cell's turn, or none's."""
        self.current: QueuedCell | None = None
        """The cell whose turn it is."""
        self.cells = 0
        """How many have come and not ended."""

    @property
    def busy(self) -> bool:
        """A cell runs or waits."""
        return self.cells > 0 or self.lock.locked()

    def take(self, cell: QueuedCell) -> "Turn":
        """Have its turn, once those before have ended: for `async with`."""
        return Turn(self, cell)

    async def next(self) -> None:
        """Hold the lock once it is free. Raises KernelBusy."""
        if not self.lock.locked():  # by far the most
            await self.lock.acquire()
            return
        try:
            async with asyncio.timeout(self._patience):
                await self.lock.acquire()
        except TimeoutError:
            raise KernelBusy(BUSY.format(patience=self._patience)) from None

    def wait(self) -> None:
        """Say that there is no room for the kernel of the cell whose turn it is, if it is any cell's."""
        if self.current is not None:
            self.current.hold(waits=True)

    def lose(self, lost: bool) -> None:  # noqa: FBT001 - as `on_lost` is called
        """Tell the cell that runs that the connection to its kernel is lost, or there again."""
        if self.current is not None and self.current.on_lost is not None:
            self.current.on_lost(lost)

    async def stop(self) -> bool:
        """Stop the cell whose turn it is, also before it is sent; False where there is none."""
        if self.current is None:
            return False
        self.current.stop()
        return True


def _lost(work: "asyncio.Task[None]") -> Result:
    """The result of a cell whose task ended without one."""
    if work.cancelled():
        return Result(status=Status.LOST, detail="CodeRunner was shut down while it ran.")
    error = work.exception()
    logging.getLogger(__name__).error("an error in CodeRunner while a cell ran", exc_info=error)
    return Result(status=Status.LOST, detail=f"An error in CodeRunner itself ({type(error).__name__}).")
