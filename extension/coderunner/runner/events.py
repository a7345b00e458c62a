"""What a host hears of a reply while it is driven, and a cell that runs as a host holds it."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from coderunner.chat.steps import Finish, Say
from coderunner.kernel.execution.stdin_requests import Ask
from coderunner.kernel.protocol.cell_outputs import Change
from coderunner.kernel.widgets.widget_panel import WidgetPanel
from coderunner.outputs import Cell, Question, Result
from coderunner.runner.late_results import LateResults
from coderunner.secret import Secret

BEAT = 0.15
"""Seconds between two signs of life: soon enough for a Stop button to feel immediate."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A cell waits for a person's consent."""

    cell: Cell
    ordinal: int


@dataclass(frozen=True, slots=True)
class Started:
    """A cell was handed to the kernel."""

    cell: Cell
    ordinal: int
    panel: WidgetPanel | None = None
    """The widgets that it shows, now and after its end."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The running cell showed something: a new, changed or cleared output."""

    change: Change


@dataclass(frozen=True, slots=True)
class Asked:
    """The running cell asks a person something; until that is settled no time of the cell passes."""

    question: Question


@dataclass(frozen=True, slots=True)
class Answered:
    """The cell's question is settled: answered, or taken back."""


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life while a cell waits or runs; `elapsed` in seconds of its time since that began."""

    elapsed: float


@dataclass(frozen=True, slots=True)
class Ended:
    """A cell came to its end or to its deadline; the text that the model reads follows as a `Say`."""

    result: Result
    ordinal: int
    running: "Late | None" = None
    """The cell itself where it goes on after its deadline: a host shows what becomes of it."""
    later: LateResults | None = None
    """What its threads and tasks show after its end; None where it did not run now."""


Told = Shown | Asked | Answered
Event = Say | Waiting | Started | Told | Beat | Ended | Finish


class Running(Protocol):
    """A cell that runs, as a kernel gives it: its result to come, and the way to stop it."""

    @property
    def future(self) -> Future[Result]:
        """What there is to go on with: the result, or at the deadline what there is of it. Never fails."""

    @property
    def settled(self) -> Future[Result]:
        """The result with which the cell really ended; it never fails."""

    def listen(
        self,
        on_output: Callable[[Change], None] | None,
        on_question: Callable[[Question | None], None] | None = None,
    ) -> None:
        """Have the outputs so far, and all that changes from now on, given to `on_output` alone.

        The same with what it asks, where it may ask; None tells that its question is settled.
        """

    def detach(self) -> None:
        """Have its deadline be over now, where it goes on after that; returns at once, from any thread."""

    def interrupt(self) -> None:
        """Ask for the end of the cell; returns at once, from any thread."""

    def answer(self, question: str, answer: Secret) -> None:
        """Answer the question of that id; returns at once, from any thread."""


class Late(Protocol):
    """A cell that goes on after its deadline, as a host holds it."""

    @property
    def future(self) -> Future[Result]:
        """What there was of it at the deadline."""

    @property
    def settled(self) -> Future[Result]:
        """The result with which it really ends; it never fails."""

    def listen(self, on_output: Callable[[Change], None] | None, ask: Ask | None = None) -> None:
        """Have the outputs so far, and all that changes from now on, given to `on_output` alone.

        `ask` lays before a person what it asks; without it, a program that asks is stopped. Both are called
        in a thread of the kernel's.
        """

    def interrupt(self) -> None:
        """Ask for its end; returns at once, from any thread."""
