"""What a reply is driven with: a kernel, and how the host wants its cells run."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

from coderunner.chat.steps import Run
from coderunner.kernel.execution.stdin_requests import Ask
from coderunner.kernel.protocol.cell_outputs import Change
from coderunner.kernel.widgets.widget_panel import WidgetPanel
from coderunner.outputs import Output, Question, Result, Status
from coderunner.records.run_once import ReplyRuns, UnrecordedRuns
from coderunner.runner.events import Ended, Running
from coderunner.runner.reply_budget import ReplyBudget


class Kernel(Protocol):
    """What a turn needs of a session."""

    def warm(self) -> None:
        """Start the kernel in the background."""

    def begin(
        self,
        source: str,
        *,
        deadline: float,
        limit: float = 0.0,
        on_output: Callable[[Change], None] | None = None,
        on_question: Callable[[Question | None], None] | None = None,
        on_send: Callable[[str], bool] | None = None,
        on_later: Callable[[Change], None] | None = None,
        panel: WidgetPanel | None = None,
    ) -> Running:
        """Hand over a cell; the callbacks are called in threads of the kernel's.

        Without `on_question` the program cannot ask; None tells that its question is settled. `on_send` is
        called with the id of the request right before the cell is sent; where it gives False it is not.
        `on_later` is told what the cell's threads and tasks show after its end, as a list of its own. `panel`
        gets the widgets that it shows.
        """

    def take_late(self) -> Sequence[Result]:
        """Give the results of cells that ended after their deadline, each of them once."""

    def take_afterwards(self, *, newest: bool = True) -> Sequence[tuple[Output, ...]]:
        """Give what threads and tasks of cells have shown after the cells' end, each of it once.

        The outputs of each cell are a list of their own. Without `newest`, those of the cell that ended last
        are left for the next call.
        """


def granted(_run: Run) -> Future[bool]:
    """Consent to everything."""
    return _decided(verdict=True)


def declined(_run: Run) -> Future[bool]:
    """Consent to nothing."""
    return _decided(verdict=False)


def no_pictures(_result: Result) -> Sequence[str]:
    """For hosts that cannot place a picture in the reply."""
    return ()


def never() -> bool:
    """For hosts that stop a reply by not listening any more."""
    return False


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a host wants its cells run.

    `deadline` is in seconds. A cell that takes longer goes on beside the reply up to `limit` seconds, and
    its result follows with the next one; with a limit that is no later it is stopped at its deadline.
    `consent` gives, for each cell, a future that tells whether it may run. `keep` stores a result's images
    where the host's page finds them and gives one piece of Markdown for each. `ask` lays what a program
    asks for (`input()`) before a person; without it nobody can be asked, and programs that try fail.
    `allowance` is what the reply may take altogether. `left` is for a host that may have to leave a reply
    although nobody wants its end, as when its page is loaded again: its cells go on then, and `left` is
    told of the one that runs. Without it they are ended with the reply. `runs` writes down what runs, and
    knows what did: that is not run again, its result is given at once.
    """

    deadline: float = 30.0
    limit: float = 0.0
    consent: Callable[[Run], Future[bool]] = granted
    keep: Callable[[Result], Sequence[str]] = no_pictures
    ask: Ask | None = None
    allowance: ReplyBudget = field(default_factory=ReplyBudget)
    left: Callable[[Ended], None] | None = None
    runs: ReplyRuns = field(default_factory=UnrecordedRuns)


DECLINED = Result(status=Status.DECLINED)
STOPPED = Result(status=Status.INTERRUPTED, detail="it had not started")
"""What becomes of a cell that waited for consent when the reply was stopped."""


def _decided(*, verdict: bool) -> Future[bool]:
    future: Future[bool] = Future()
    future.set_result(verdict)
    return future
