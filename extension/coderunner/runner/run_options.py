"""What a reply is driven with: a kernel, and the host's options for its cells."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

from coderunner.chat.results.made_files import NO_LINKS
from coderunner.chat.steps import Run
from coderunner.ending_sentences import NOT_STARTED
from coderunner.kernel.execution.stdin_requests import Ask
from coderunner.kernel.protocol.cell_outputs import Change
from coderunner.kernel.widgets.widget_panel import WidgetPanel
from coderunner.outputs import Output, Question, Refusal, Result, Status
from coderunner.records.run_once import ReplyRuns, UnrecordedRuns
from coderunner.runner.events import Ended, Running
from coderunner.runner.reply_budget import ReplyBudget
from coderunner.runner.variables_for_model import VariableDigest


class Kernel(Protocol):
    """The part of a session that a turn needs."""

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
        on_wait: Callable[[bool], None] | None = None,
        on_lost: Callable[[bool], None] | None = None,
        on_later: Callable[[Change], None] | None = None,
        panel: WidgetPanel | None = None,
    ) -> Running:
        """Run a cell; the callbacks are called in threads of the kernel.

        Without `on_question` the program cannot ask for input; None means that its request is settled.
        `on_send` is called with the id of the request right before the cell is sent; if it gives False, it is
        not sent. `on_wait` is told that it waits for room for its kernel, and that it does not any more.
        `on_lost` is told that while it runs the connection to its kernel is lost, and that it is there again.
        `on_later` gets the output of the cell's threads and tasks after its end, as a list of its
        own. `panel` gets its widgets.
        """

    def take_late(self) -> Sequence[Result]:
        """The results of cells that ended after their deadline, each once."""

    def take_afterwards(self, *, newest: bool = True) -> Sequence[tuple[Output, ...]]:
        """The output of threads and tasks after the end of their cells, each once.

        The outputs of each cell are a tuple of their own. Without `newest`, those of the latest cell are left
        for the next call.
        """

    def refused_afterwards(self, outputs: Sequence[Output]) -> tuple[Refusal, ...]:
        """What a sandbox refused to those threads and tasks, of which `outputs` tell."""


def granted(_run: Run) -> Future[bool]:
    """Approve everything."""
    return _decided(verdict=True)


def declined(_run: Run) -> Future[bool]:
    """Decline everything."""
    return _decided(verdict=False)


def anything(_run: Run) -> str:
    """For hosts that do not limit how many cells run, or where nobody changes them."""
    return ""


def no_pictures(_result: Result) -> Sequence[str]:
    """For hosts that cannot put images into the reply."""
    return ()


def no_links(_result: Result) -> Mapping[str, str]:
    """For hosts whose readers have no use for addresses of files."""
    return NO_LINKS


def never() -> bool:
    """For hosts that stop a reply only by closing it."""
    return False


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a host wants its cells run.

    `deadline` is in seconds. A cell that takes longer keeps running in the background up to `limit`
    seconds, and its result follows with the next one; without a later limit it is stopped at its deadline.
    `consent` gives, for each cell, a future that tells whether it may run. `keep` saves a result's images
    where the host's page finds them, and gives Markdown for each; `links` gives the host's addresses for the
    files that it made, by their paths. `ask` asks the user for a program's input
    (`input()`); without it, programs that ask fail. `allowance` is the budget of the whole reply. `left` is
    for a host that may have to close a reply that should go on, for example when its page is reloaded: its
    cells keep running then, and `left` gets the running one. Without it they end with the reply. `runs`
    records all runs: a cell that has already run gets its recorded result at once. `admit` is called in a
    thread once a cell has consent, and gives the reason why it may not run now; empty: it may. `off` tells
    whether running code is turned off: then nobody is asked, and no cell runs. `variables` has the model told
    what each cell has changed in the kernel's variables.
    """

    deadline: float = 30.0
    limit: float = 0.0
    consent: Callable[[Run], Future[bool]] = granted
    keep: Callable[[Result], Sequence[str]] = no_pictures
    links: Callable[[Result], Mapping[str, str]] = no_links
    ask: Ask | None = None
    allowance: ReplyBudget = field(default_factory=ReplyBudget)
    left: Callable[[Ended], None] | None = None
    runs: ReplyRuns = field(default_factory=UnrecordedRuns)
    admit: Callable[[Run], str] = anything
    off: Callable[[], bool] = never
    edited: Callable[[Run], str] = anything
    variables: VariableDigest | None = None


DECLINED = Result(status=Status.DECLINED)
OFF = Result(status=Status.DECLINED, detail="running code is turned off in the settings")
"""The result of a cell where the settings let none run: nobody was asked."""
STOPPED = Result(status=Status.INTERRUPTED, detail=NOT_STARTED)
"""The result of a cell that waited for approval when the reply was stopped."""


def _decided(*, verdict: bool) -> Future[bool]:
    future: Future[bool] = Future()
    future.set_result(verdict)
    return future
