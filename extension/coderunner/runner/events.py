"""The events of a reply for its host, and the interface of a running cell."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from coderunner.chat.steps import Finish, Say
from coderunner.kernel.execution.stdin_requests import Ask
from coderunner.kernel.protocol.cell_outputs import Change
from coderunner.kernel.widgets.widget_panel import WidgetPanel
from coderunner.outputs import Cell, Question, Result
from coderunner.runner.late_output_recorder import LateOutputRecorder
from coderunner.secret_value import Secret

BEAT = 0.15
"""Seconds between two beats: short enough for a Stop button to feel immediate."""


def nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A cell waits for approval."""

    cell: Cell
    ordinal: int


@dataclass(frozen=True, slots=True)
class Started:
    """A cell was handed to the kernel."""

    cell: Cell
    ordinal: int
    panel: WidgetPanel | None = None
    """The widgets of its outputs, now and after its end."""
    stop: Callable[[], None] = nothing
    """Stops this cell alone, and the reply goes on. Returns at once, from any thread."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The running cell has a new, changed or cleared output."""

    change: Change


@dataclass(frozen=True, slots=True)
class Preparing:
    """Something is done or waited for before a cell runs, such as an installation; `words` tell it.

    Without words it is over, and the cell runs.
    """

    words: str


NO_KERNEL_FREE = "Waiting for a kernel"
"""The words where all kernels of this machine are in use."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The running cell asks for input; its time does not count until that is settled."""

    question: Question


@dataclass(frozen=True, slots=True)
class Answered:
    """The cell's request for input was answered or withdrawn."""


TRYING_AGAIN = "Connection lost, trying again"


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection to the kernel of the running cell is `lost` and tried again, or there again.

    Its time goes on meanwhile.
    """

    lost: bool

    @property
    def words(self) -> str:
        """It in a few words, where no block shows it; empty: it is there."""
        return TRYING_AGAIN if self.lost else ""


@dataclass(frozen=True, slots=True)
class Beat:
    """Time passes while a cell waits or runs; `elapsed`: seconds of its time so far."""

    elapsed: float


@dataclass(frozen=True, slots=True)
class Ended:
    """A cell has reached its end or its deadline; the text for the model follows as a `Say`."""

    result: Result
    ordinal: int
    running: "Late | None" = None
    """The cell itself if it keeps running after its deadline, so that a host can show it."""
    later: LateOutputRecorder | None = None
    """The output of its threads and tasks after its end; None if it did not run now."""
    edited: Cell | None = None
    """What ran in its place, where a person changed it first."""
    by_hand: bool = False
    """A person stopped this cell, and not the reply."""


Told = Shown | Asked | Answered | Preparing | Connection
Event = Say | Waiting | Started | Told | Beat | Ended | Finish


class Running(Protocol):
    """A running cell, as a kernel gives it."""

    @property
    def future(self) -> Future[Result]:
        """The result, or at the deadline the result so far. It never fails."""

    @property
    def settled(self) -> Future[Result]:
        """The final result; it never fails."""

    def listen(
        self,
        on_output: Callable[[Change], None] | None,
        on_question: Callable[[Question | None], None] | None = None,
        on_lost: Callable[[bool], None] | None = None,
    ) -> None:
        """Give the outputs so far, and all changes from now on, to `on_output` only.

        The same with its requests for input, if it may ask; None means that the request is settled. And with
        `on_lost`: the connection to its kernel is lost and tried again, or there again.
        """

    def detach(self) -> None:
        """End its deadline now, if it may go on after that; returns at once, from any thread."""

    def interrupt(self) -> None:
        """Interrupt the cell; returns at once, from any thread."""

    def answer(self, question: str, answer: Secret) -> None:
        """Answer the request for input of that id; returns at once, from any thread."""


class Late(Protocol):
    """A cell that keeps running after its deadline, for a host."""

    @property
    def future(self) -> Future[Result]:
        """The result so far at the deadline."""

    @property
    def settled(self) -> Future[Result]:
        """The final result; it never fails."""

    def listen(
        self,
        on_output: Callable[[Change], None] | None,
        ask: Ask | None = None,
        on_lost: Callable[[bool], None] | None = None,
    ) -> None:
        """Give the outputs so far, and all changes from now on, to `on_output` only.

        `ask` asks the user for input; without it, a program that asks is stopped. `on_lost` is told that the
        connection to its kernel is lost, and that it is there again. All three are called in its threads.
        """

    def interrupt(self) -> None:
        """Interrupt it; returns at once, from any thread."""
