"""One cell of a reply: consent, the kernel, what it shows and asks, its end. For both drivers."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from time import monotonic

from coderunner.chat.steps import Run
from coderunner.kernel.execution.stdin_requests import Ask, StdinRequests
from coderunner.kernel.protocol.cell_outputs import Change
from coderunner.kernel.widgets.widget_panel import WidgetPanel
from coderunner.outputs import Aftermath, Question, Result, Status
from coderunner.records.run_once import ReplyRun
from coderunner.runner.events import (
    BEAT,
    Answered,
    Asked,
    Beat,
    Ended,
    Event,
    Late,
    Running,
    Shown,
    Started,
    Told,
    Waiting,
)
from coderunner.runner.late_results import LateResults
from coderunner.runner.run_options import DECLINED, STOPPED, Kernel, RunOptions, never
from coderunner.secret import Secret


async def run(
    run: Run, kernel: Kernel, options: RunOptions, stop: asyncio.Event, late: list[Late]
) -> AsyncGenerator[Event]:
    """Run a cell, or tell what is known of it; one that goes on after its deadline is added to `late`.

    The last event is an `Ended`.
    """
    known: ReplyRun | Future[Result] | None
    known = await asyncio.to_thread(options.runs.recall, run.cell, run.ordinal)
    if known is None:
        consent = options.consent(run)
        if not consent.done():
            yield Waiting(run.cell, run.ordinal)
        with options.allowance.paused():
            async for beat in _beats(asyncio.wrap_future(consent), stop):
                yield beat
        if (refusal := _refusal(consent, stopped=stop.is_set())) is not None:
            yield Ended(refusal, run.ordinal)
            return
        known = await asyncio.to_thread(options.runs.claim, run.cell, run.ordinal)
    if isinstance(known, Future):
        async for beat in _beats(asyncio.wrap_future(known), stop):
            yield beat
        yield Ended(_known(known), run.ordinal)
        return
    entry = known
    panel = WidgetPanel(entry.keep, entry.keep_module)
    with _begun(entry):
        yield Started(run.cell, run.ordinal, panel)
    loop = asyncio.get_running_loop()
    told: asyncio.Queue[Told | None] = asyncio.Queue()

    def tell(event: Told | None) -> None:
        loop.call_soon_threadsafe(told.put_nowait, event)

    later = LateResults(entry)
    running, stdin = _begin(run, kernel, options, entry, later, panel, tell)
    running.future.add_done_callback(lambda _: tell(None))
    stopping = asyncio.ensure_future(stop.wait())
    stopping.add_done_callback(lambda task: None if task.cancelled() else running.interrupt())
    began = monotonic()
    try:
        while (event := await _next(told, began)) is not None:
            yield _heard(event, stdin, running)
    finally:
        stdin.close()
        stopping.cancel()
        if not running.future.done():
            running.interrupt()
    yield _ended(running, run, entry, later, late)


def run_sync(
    run: Run, kernel: Kernel, options: RunOptions, stopped: Callable[[], bool], late: list[Late]
) -> Generator[Event, None, Ended]:
    """Do what `run` does, for a host without an event loop; gives the last event."""
    known: ReplyRun | Future[Result] | None = options.runs.recall(run.cell, run.ordinal)
    if known is None:
        consent = options.consent(run)
        if not consent.done():
            yield Waiting(run.cell, run.ordinal)
        with options.allowance.paused():
            yield from _beats_sync(consent, stopped)
        if (refusal := _refusal(consent, stopped=stopped())) is not None:
            ended = Ended(refusal, run.ordinal)
            yield ended
            return ended
        known = options.runs.claim(run.cell, run.ordinal)
    if isinstance(known, Future):
        yield from _beats_sync(known, stopped)
        ended = Ended(_known(known), run.ordinal)
        yield ended
        return ended
    entry = known
    panel = WidgetPanel(entry.keep, entry.keep_module)
    with _begun(entry):
        yield Started(run.cell, run.ordinal, panel)
    told: SimpleQueue[Told] = SimpleQueue()
    later = LateResults(entry)
    running, stdin = _begin(run, kernel, options, entry, later, panel, told.put)
    asked = False
    try:
        for beat in _beats_sync(running.future, never):
            while not told.empty():
                yield _heard(told.get(), stdin, running)
            if not asked and stopped():
                asked = True
                running.interrupt()
            yield _heard(beat, stdin, running)
    except GeneratorExit:
        if options.left is not None and not asked and not stopped():
            options.left(_left(running, run, entry, later))
        raise
    finally:
        stdin.close()
        if not running.future.done() and (asked or options.left is None or stopped()):
            running.interrupt()
    while not told.empty():
        yield _heard(told.get(), stdin, running)
    ended = _ended(running, run, entry, later, late)
    yield ended
    return ended


@contextmanager
def _begun(entry: ReplyRun) -> Generator[None]:
    """A host that leaves at the word that a cell begins: it was not sent, and nobody waits for its end."""
    try:
        yield
    except BaseException:
        entry.finish(STOPPED)
        raise


def _begin(
    run: Run,
    kernel: Kernel,
    options: RunOptions,
    entry: ReplyRun,
    later: LateResults,
    panel: WidgetPanel,
    tell: Callable[[Told], None],
) -> tuple[Running, StdinRequests]:
    """Hand the cell over; what it shows and asks is told in a thread of the kernel's.

    What it shows, how it ends and what it shows then is written down, whoever listens.
    """

    def show(change: Change) -> None:
        entry.show(change.index, change.output)
        tell(Shown(change))

    def ask(question: Question | None) -> None:
        tell(Asked(question) if question else Answered())

    def pause(done: Future[Result]) -> None:
        if _goes_on(done.result()):
            entry.detach(done.result())

    running = kernel.begin(
        run.cell.source,
        deadline=options.deadline,
        limit=options.limit,
        on_output=show,
        on_question=ask if options.ask is not None else None,
        on_send=entry.send,
        on_later=later.show,
        panel=panel,
    )
    running.future.add_done_callback(pause)
    running.settled.add_done_callback(lambda done: entry.finish(done.result()))
    return running, StdinRequests(options.ask, options.allowance.paused)


def _heard(event: Told | Beat, stdin: StdinRequests, running: Running) -> Told | Beat:
    """Lay a question before the host, and count no time in which a person is waited for."""
    match event:
        case Asked(question):
            stdin.receive(question, running)
        case Answered():
            stdin.receive(None, running)
        case Beat(elapsed):
            return Beat(elapsed - stdin.waited)
    return event


def _left(running: Running, run: Run, entry: ReplyRun, later: LateResults) -> Ended:
    """A cell of which the host has left the reply: from now on it is one that goes on."""
    running.detach()
    try:
        result = running.future.result(BEAT)
    except FutureTimeoutError:
        result = Result(status=Status.TIMEOUT, aftermath=Aftermath.BUSY)
    if not _goes_on(result):
        return Ended(result, run.ordinal, later=later)
    goes_on = GoesOn(running, entry)
    goes_on.listen(None)
    return Ended(result, run.ordinal, goes_on, later)


def _ended(running: Running, run: Run, entry: ReplyRun, later: LateResults, late: list[Late]) -> Ended:
    """What there is at the end of the wait for a cell; one that goes on is added to `late`."""
    result = running.future.result()
    if not _goes_on(result):
        return Ended(result, run.ordinal, later=later)
    goes_on = GoesOn(running, entry)
    goes_on.listen(None)
    late.append(goes_on)
    return Ended(result, run.ordinal, goes_on, later)


@dataclass(frozen=True, slots=True)
class GoesOn:
    """A cell that goes on after its deadline: what it shows is written down, whoever listens."""

    running: Running
    entry: ReplyRun

    @property
    def future(self) -> Future[Result]:
        """What there was of it at the deadline."""
        return self.running.future

    @property
    def settled(self) -> Future[Result]:
        """The result with which it really ends."""
        return self.running.settled

    def listen(self, on_output: Callable[[Change], None] | None, ask: Ask | None = None) -> None:
        """Have the outputs so far, and all that changes from now on, given to `on_output`, too.

        `ask` lays before a person what it asks; the reply's allowance is no matter of it any more.
        """
        stdin = StdinRequests(ask)

        def inquire(question: Question | None) -> None:
            stdin.receive(question, self)

        def show(change: Change) -> None:
            self.entry.show(change.index, change.output)
            if on_output is not None:
                on_output(change)

        self.running.listen(show, inquire if ask is not None else None)

    def interrupt(self) -> None:
        """Ask for its end."""
        self.running.interrupt()

    def answer(self, question: str, answer: Secret) -> None:
        """Answer what it asks."""
        self.running.answer(question, answer)


def _goes_on(result: Result) -> bool:
    return result.status is Status.TIMEOUT and result.aftermath is Aftermath.BUSY


def _refusal(consent: Future[bool], *, stopped: bool) -> Result | None:
    """Why a cell does not run after all; None where it does."""
    if stopped or consent.cancelled() or not consent.done():
        consent.cancel()
        return STOPPED
    return None if consent.result() else DECLINED


def _known(result: Future[Result]) -> Result:
    """What came of a block that somebody else had in hand; we wait no more."""
    return STOPPED if result.cancel() or result.cancelled() else result.result()


async def _next(told: asyncio.Queue[Told | None], began: float) -> Told | Beat | None:
    try:
        async with asyncio.timeout(BEAT):
            return await told.get()
    except TimeoutError:
        return Beat(monotonic() - began)


async def _beats(
    awaited: asyncio.Future[bool] | asyncio.Future[Result], stop: asyncio.Event
) -> AsyncGenerator[Beat]:
    began = monotonic()
    while not awaited.done() and not stop.is_set():
        done, _ = await asyncio.wait({awaited}, timeout=BEAT)
        if not done:
            yield Beat(monotonic() - began)


def _beats_sync(awaited: Future[bool] | Future[Result], stopped: Callable[[], bool]) -> Generator[Beat]:
    began = monotonic()
    while not awaited.done() and not stopped():
        try:
            awaited.exception(timeout=BEAT)
        except FutureTimeoutError:
            yield Beat(monotonic() - began)
