"""The steps of one cell of a reply: approval, outputs, input, and its end.

A generator without a way to wait: it says what it waits for, and `run_cell` waits with or without a loop.
"""

from collections.abc import Callable, Generator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from time import monotonic
from typing import Any

from coderunner.chat.steps import Run
from coderunner.kernel.execution.stdin_requests import Ask, StdinRequests
from coderunner.kernel.protocol.cell_outputs import Change
from coderunner.kernel.widgets.widget_panel import WidgetPanel
from coderunner.outputs import Aftermath, Question, Result, Status
from coderunner.records.run_once import ReplyRun
from coderunner.runner.events import (
    BEAT,
    NO_KERNEL_FREE,
    Answered,
    Asked,
    Beat,
    Connection,
    Ended,
    Event,
    Late,
    Preparing,
    Running,
    Shown,
    Started,
    Told,
    Waiting,
)
from coderunner.runner.late_output_recorder import LateOutputRecorder
from coderunner.runner.run_options import DECLINED, OFF, STOPPED, Kernel, RunOptions, declined, granted
from coderunner.secret_value import Secret
from coderunner.text.line_diff import differ


class Signal(Enum):
    """What may come beside events."""

    WAKE = "wake"
    """Something is to be looked at: consent is given, or Stop was pressed."""
    END = "end"
    """The cell has ended or goes on without the reply; nothing follows."""
    SILENCE = "silence"
    """Nothing came for as long as a beat."""


@dataclass(frozen=True, slots=True)
class Call:
    """Call this, which may take milliseconds, and send what it gives."""

    function: Callable[[], ReplyRun | Future[Result] | Result | None]


class Pause:
    """Wait for what is told next, at most `BEAT` seconds, and send it, or `Signal.SILENCE`."""


PAUSE = Pause()

CellSteps = Generator[Event | Call | Pause, Any, Ended]
"""The last event is an `Ended`, which it also returns."""


def cell_steps(
    run: Run,
    kernel: Kernel,
    options: RunOptions,
    tell: Callable[[Told | Signal], None],
    stopped: Callable[[], bool],
    late: list[Late],
) -> CellSteps:
    """Run a cell, or give its recorded result; one that keeps running after its deadline is added to `late`.

    `tell` may be called in any thread; what it is given is what a `Pause` waits for.
    """
    if run.refused:
        return (yield from _last(Ended(Result(status=Status.UNFIT, detail=run.refused), run.ordinal)))
    # Each call waits for a thread, so what needs no consent is done in one.
    at_once = options.consent is granted and not options.off() and not stopped()
    known = yield Call(lambda: _recalled(run, options, claim=at_once))
    if known is None:
        consent = declined(run) if options.off() else options.consent(run)
        if not consent.done():
            yield Waiting(run.cell, run.ordinal)
        with options.allowance.paused():
            yield from _beats(consent, tell, stopped)
        if (refusal := _refusal(consent, options, stopped=stopped())) is not None:
            return (yield from _last(Ended(refusal, run.ordinal)))
        run = _edited(written := run, options)
        known = yield Call(lambda: _claimed(run, options))
        edited = run.cell if run is not written else None
    else:
        edited = None
    if isinstance(known, Future):
        yield from _beats(known, tell, stopped)
        return (yield from _last(Ended(_known(known), run.ordinal, edited=edited)))
    ended = yield from _told(run, kernel, options, known, tell, stopped, late)
    return (yield from _last(replace(ended, edited=edited)))


def _told(
    run: Run,
    kernel: Kernel,
    options: RunOptions,
    recorded: ReplyRun,
    tell: Callable[[Told | Signal], None],
    stopped: Callable[[], bool],
    late: list[Late],
) -> CellSteps:
    """Run a cell; its result tells what it has changed in the variables, if the model is to read that."""
    if (variables := options.variables) is not None:
        yield Call(variables.begin)
    ended = yield from _cell(run, kernel, options, recorded, tell, stopped, late)
    if variables is not None:
        result = ended.result
        ended = replace(ended, result=(yield Call(lambda: variables.after(result))))
    return ended


def _recalled(run: Run, options: RunOptions, *, claim: bool) -> ReplyRun | Future[Result] | None:
    """What comes of a cell that was run before; else None, or what `_claimed` gives."""
    known = options.runs.recall(run.cell, run.ordinal)
    return _claimed(run, options) if known is None and claim else known


def _claimed(run: Run, options: RunOptions) -> ReplyRun | Future[Result]:
    """The right to run a cell, or why it may not run now, or what comes of it where another has that."""
    if why := options.admit(run):
        refused: Future[Result] = Future()
        refused.set_result(Result(status=Status.UNFIT, detail=why))
        return refused
    return options.runs.claim(run.cell, run.ordinal)


def _edited(run: Run, options: RunOptions) -> Run:
    """The same, with what a person has put in place of its code."""
    source = options.edited(run)
    if not source.strip() or not differ(run.cell.source, source):
        return run
    return replace(run, cell=replace(run.cell, source=source))


class BlockStop:
    """Stops one cell of a reply, which goes on; may be used from any thread."""

    def __init__(self, tell: Callable[[Signal], None]) -> None:
        self._tell = tell
        self.pressed = False

    def press(self) -> None:
        """Have the cell stopped; returns at once."""
        self.pressed = True
        self._tell(Signal.WAKE)


def _last(ended: Ended) -> CellSteps:
    yield ended
    return ended


def _cell(
    run: Run,
    kernel: Kernel,
    options: RunOptions,
    recorded: ReplyRun,
    tell: Callable[[Told | Signal], None],
    stopped: Callable[[], bool],
    late: list[Late],
) -> CellSteps:
    panel, by_hand = WidgetPanel(recorded.keep, recorded.keep_module), BlockStop(tell)
    with _begun(recorded):
        yield Started(run.cell, run.ordinal, panel, by_hand.press)
    later = LateOutputRecorder(recorded)
    running, stdin = _begin(run, kernel, options, recorded, later, panel, tell)
    running.future.add_done_callback(lambda _: tell(Signal.END))
    began, asked, waits = monotonic(), False, _Line()
    try:
        while (event := (yield PAUSE)) is not Signal.END:
            if event is Signal.SILENCE:
                now = monotonic()
                yield _heard(Beat(now - began - waits.waited(now)), stdin, running)
            elif not isinstance(event, Signal):
                waits.hear(event)
                yield _heard(event, stdin, running)
            if not asked and (stopped() or by_hand.pressed):
                asked = True
                running.interrupt()
    except GeneratorExit:
        if options.left is not None and not asked and not stopped():
            # Before its deadline is cut short: who continues the reply waits as long as it would have.
            recorded.leave(options.deadline - ((now := monotonic()) - began - waits.waited(now)))
            options.left(_left(running, run, recorded, later))
        raise
    finally:
        stdin.close()
        if not running.future.done() and (asked or options.left is None or stopped()):
            running.interrupt()
    ended = _ended(running, run, recorded, later, late)
    return replace(ended, by_hand=by_hand.pressed and ended.result.status is Status.INTERRUPTED)


class _Line:
    """For how long a cell waited for a kernel."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._before = 0.0

    def waited(self, now: float) -> float:
        """Seconds until now."""
        return self._before + (now - self._since if self._since is not None else 0.0)

    def hear(self, event: Event) -> None:
        """Take what happens to the cell."""
        if isinstance(event, Preparing):
            now = monotonic()
            self._before, self._since = self.waited(now), now if event.words else None


def _beats(
    awaited: Future[Any], tell: Callable[[Told | Signal], None], stopped: Callable[[], bool]
) -> Generator[Event | Call | Pause, Any, None]:
    """Wait for a future, or until the reply is stopped, with beats meanwhile."""
    awaited.add_done_callback(lambda _: tell(Signal.WAKE))
    began = monotonic()
    while not awaited.done() and not stopped():
        if (yield PAUSE) is Signal.SILENCE:
            yield Beat(monotonic() - began)


@contextmanager
def _begun(recorded: ReplyRun) -> Generator[None]:
    """Record an end if the host closes the reply at `Started`: the cell was not sent."""
    try:
        yield
    except BaseException:
        recorded.finish(STOPPED)
        raise


def _begin(
    run: Run,
    kernel: Kernel,
    options: RunOptions,
    recorded: ReplyRun,
    later: LateOutputRecorder,
    panel: WidgetPanel,
    tell: Callable[[Told], None],
) -> tuple[Running, StdinRequests]:
    """Send the cell to the kernel, whose thread calls `tell` with its outputs and requests for input.

    Its outputs, its end and its later output are always recorded.
    """

    def show(change: Change) -> None:
        recorded.show(change.index, change.output)
        tell(Shown(change))

    def ask(question: Question | None) -> None:
        tell(Asked(question) if question else Answered())

    def wait(waits: bool) -> None:  # noqa: FBT001 - the kernel's thread calls it without names
        tell(Preparing(NO_KERNEL_FREE if waits else ""))

    def lose(lost: bool) -> None:  # noqa: FBT001 - as above
        tell(Connection(lost=lost))

    def pause(done: Future[Result]) -> None:
        if _goes_on(done.result()):
            recorded.detach(done.result())

    running = kernel.begin(
        run.cell.source,
        deadline=options.deadline,
        limit=options.limit,
        on_output=show,
        on_question=ask if options.ask is not None else None,
        on_send=recorded.send,
        on_wait=wait,
        on_lost=lose,
        on_later=later.show,
        panel=panel,
    )
    running.future.add_done_callback(pause)
    running.settled.add_done_callback(lambda done: recorded.finish(done.result()))
    return running, StdinRequests(options.ask, options.allowance.paused)


def _heard(event: Told | Beat, stdin: StdinRequests, running: Running) -> Told | Beat:
    """Pass a request for input to the host, and do not count the time until the answer."""
    match event:
        case Asked(question):
            stdin.receive(question, running)
        case Answered():
            stdin.receive(None, running)
        case Beat(elapsed):
            return Beat(elapsed - stdin.waited)
    return event


def _left(running: Running, run: Run, recorded: ReplyRun, later: LateOutputRecorder) -> Ended:
    """Detach a cell whose reply the host has closed: it keeps running."""
    running.detach()
    try:
        result = running.future.result(BEAT)
    except FutureTimeoutError:
        result = Result(status=Status.TIMEOUT, aftermath=Aftermath.BUSY)
    if not _goes_on(result):
        return Ended(result, run.ordinal, later=later)
    goes_on = DetachedCell(running, recorded)
    goes_on.listen(None)
    return Ended(result, run.ordinal, goes_on, later)


def _ended(
    running: Running, run: Run, recorded: ReplyRun, later: LateOutputRecorder, late: list[Late]
) -> Ended:
    """The event at a cell's end or deadline; a cell that keeps running is added to `late`."""
    result = running.future.result()
    if not _goes_on(result):
        return Ended(result, run.ordinal, later=later)
    goes_on = DetachedCell(running, recorded)
    goes_on.listen(None)
    late.append(goes_on)
    return Ended(result, run.ordinal, goes_on, later)


@dataclass(frozen=True, slots=True)
class DetachedCell:
    """A cell that keeps running after its deadline: its outputs are always recorded."""

    running: Running
    recorded: ReplyRun

    @property
    def future(self) -> Future[Result]:
        """The result so far at the deadline."""
        return self.running.future

    @property
    def settled(self) -> Future[Result]:
        """The final result."""
        return self.running.settled

    def listen(
        self,
        on_output: Callable[[Change], None] | None,
        ask: Ask | None = None,
        on_lost: Callable[[bool], None] | None = None,
    ) -> None:
        """Give the outputs so far, and all changes from now on, to `on_output`, too.

        `ask` asks the user for input; the budget of the reply no longer matters.
        """
        stdin = StdinRequests(ask)

        def inquire(question: Question | None) -> None:
            stdin.receive(question, self)

        def show(change: Change) -> None:
            self.recorded.show(change.index, change.output)
            if on_output is not None:
                on_output(change)

        self.running.listen(show, inquire if ask is not None else None, on_lost)

    def interrupt(self) -> None:
        """Interrupt it."""
        self.running.interrupt()

    def answer(self, question: str, answer: Secret) -> None:
        """Answer its request for input."""
        self.running.answer(question, answer)


def _goes_on(result: Result) -> bool:
    return result.status is Status.TIMEOUT and result.aftermath is Aftermath.BUSY


def _refusal(consent: Future[bool], options: RunOptions, *, stopped: bool) -> Result | None:
    """Why a cell does not run; None if it does."""
    if stopped or consent.cancelled() or not consent.done():
        consent.cancel()
        return STOPPED
    if options.off():  # also where it was turned off while the cell waited
        return OFF
    return None if consent.result() else DECLINED


def _known(result: Future[Result]) -> Result:
    """The result of a cell that somebody else runs; if it is still open, we stop waiting."""
    return STOPPED if result.cancel() or result.cancelled() else result.result()
