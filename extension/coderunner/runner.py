"""The hall: takes a turn from the model to the kernel and back, until it is finished.

The only file that knows chat, kernel and records. `converse` drives a `Turn` for asynchronous hosts,
`converse_sync` for synchronous ones; they go through the same steps in the same order and differ only in how
they wait.

Both close the model's stream before a cell runs (nothing is said after code that has not run yet), give a
`Beat` at least every `BEAT` seconds while they wait, so that a host can show time and notice Stop, and
interrupt the kernel when the host stops listening.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import aclosing, closing, contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from time import monotonic
from typing import Protocol

from coderunner.allowance import Allowance

# Some of these only pass through here: doors know neither chat nor kernel, and ask the hall.
from coderunner.chat.render import for_model
from coderunner.chat.turn import Finish, Generate, Part, Pictured, Prepare, Run, Say, Step, Turn
from coderunner.kernel.address import normalise
from coderunner.kernel.doctor import Finding, Report, check
from coderunner.kernel.execution import Change
from coderunner.kernel.interview import Ask, Interview
from coderunner.kernel.rebuild import rebuild
from coderunner.kernel.sessions import Light, Local, Server, Session, Sessions, Where
from coderunner.outputs import Aftermath, Cell, Question, Result, Status
from coderunner.records.book import Records, open_records
from coderunner.records.ledger import Entry, Ledger, ReplyLedger, Unwritten
from coderunner.secret import Secret

__all__ = [
    "BEAT",
    "STOPPED",
    "Allowance",
    "Answered",
    "Asked",
    "Beat",
    "Cell",
    "Change",
    "Ended",
    "Event",
    "Finding",
    "Finish",
    "Generate",
    "Kernel",
    "Light",
    "Local",
    "Manner",
    "Part",
    "Question",
    "Records",
    "ReplyLedger",
    "Report",
    "Result",
    "Run",
    "Running",
    "Say",
    "Server",
    "Session",
    "Sessions",
    "Shown",
    "Started",
    "Status",
    "Turn",
    "Waiting",
    "Where",
    "check",
    "converse",
    "converse_sync",
    "declined",
    "granted",
    "late_words",
    "never",
    "no_pictures",
    "normalise",
    "open_records",
    "rebuild",
]

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
    running: "Running | None" = None
    """The cell itself where it goes on after its deadline: a host shows what becomes of it."""


Told = Shown | Asked | Answered
Event = Say | Waiting | Started | Told | Beat | Ended | Finish


class Running(Protocol):
    """A cell that runs: its result to come, and the way to stop it."""

    @property
    def future(self) -> Future[Result]:
        """What there is to go on with: the result, or at the deadline what there is of it. Never fails."""

    @property
    def settled(self) -> Future[Result]:
        """The result with which the cell really ended; it never fails."""

    def listen(self, on_output: Callable[[Change], None] | None) -> None:
        """Have the outputs so far, and all that changes from now on, given to `on_output` alone."""

    def interrupt(self) -> None:
        """Ask for the end of the cell; returns at once, from any thread."""

    def answer(self, question: str, answer: Secret) -> None:
        """Answer the question of that id; returns at once, from any thread."""


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
        on_send: Callable[[], bool] | None = None,
    ) -> Running:
        """Hand over a cell; the callbacks are called in threads of the kernel's.

        Without `on_question` the program cannot ask; None tells that its question is settled. `on_send` is
        called right before the cell is sent; where it gives False it is not.
        """

    def take_late(self) -> Sequence[Result]:
        """Give the results of cells that ended after their deadline, each of them once."""


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
class Manner:
    """How a host wants its cells run.

    `deadline` is in seconds. A cell that takes longer goes on beside the reply up to `limit` seconds, and
    its result follows with the next one; with a limit that is no later it is stopped at its deadline.
    `consent` gives, for each cell, a future that tells whether it may run. `keep` stores a result's images
    where the host's page finds them and gives one piece of Markdown for each. `ask` lays what a program asks
    for (`input()`) before a person; without it nobody can be asked, and programs that try fail. `allowance`
    is what the reply may take altogether. `ledger` writes down what runs, and knows what did: that is not run
    again, its result is given at once.
    """

    deadline: float = 30.0
    limit: float = 0.0
    consent: Callable[[Run], Future[bool]] = granted
    keep: Callable[[Result], Sequence[str]] = no_pictures
    ask: Ask | None = None
    allowance: Allowance = field(default_factory=Allowance)
    ledger: Ledger = field(default_factory=Unwritten)


DECLINED = Result(status=Status.DECLINED)
STOPPED = Result(status=Status.INTERRUPTED, detail="it had not begun to run")
"""What becomes of a cell that waited for consent when the reply was stopped."""


async def converse(
    turn: Turn,
    generate: Callable[[Generate], AsyncGenerator[str]],
    kernel: Kernel,
    manner: Manner | None = None,
    *,
    stop: asyncio.Event | None = None,
) -> AsyncGenerator[Event]:
    """Drive `turn` to its end. `stop` ends the reply early, with what the cell showed so far kept."""
    manner = manner or Manner()
    stop = stop or asyncio.Event()
    steps: deque[Step] = deque(turn.start())
    with _companions(stop.is_set) as late:
        while steps:
            match steps.popleft():
                case Prepare():
                    kernel.warm()
                case Run() | Generate() if word := manner.allowance.used_up():
                    steps.extend(turn.exceed(word))
                case Run() as run:
                    ended = Ended(DECLINED, run.ordinal)
                    async with aclosing(_run(run, kernel, manner, stop, late)) as events:
                        async for event in events:
                            ended = event if isinstance(event, Ended) else ended
                            yield event
                    steps.extend(_answer(turn, ended.result, kernel, manner))
                case Generate() if stop.is_set():
                    steps.extend(turn.stop())
                case Generate() as step:
                    async with aclosing(_until(stop, generate(step))) as deltas:
                        async for delta in deltas:
                            for said in _take(steps, turn.receive(delta), kernel):
                                yield said
                            if turn.state != "generating" or manner.allowance.used_up():
                                break
                    if turn.state == "generating":
                        steps.extend(_end(turn, manner, stopped=stop.is_set()))
                case Say() | Finish() as said:
                    yield said


def converse_sync(
    turn: Turn,
    generate: Callable[[Generate], Generator[str]],
    kernel: Kernel,
    manner: Manner | None = None,
    *,
    stopped: Callable[[], bool] = never,
) -> Generator[Event]:
    """Drive `turn` to its end, for a host without an event loop.

    `stopped` is asked at each delta and at each beat.
    """
    manner = manner or Manner()
    steps: deque[Step] = deque(turn.start())
    with _companions(stopped) as late:
        while steps:
            match steps.popleft():
                case Prepare():
                    kernel.warm()
                case Run() | Generate() if word := manner.allowance.used_up():
                    steps.extend(turn.exceed(word))
                case Run() as run:
                    ended = yield from _run_sync(run, kernel, manner, stopped, late)
                    steps.extend(_answer(turn, ended.result, kernel, manner))
                case Generate() if stopped():
                    steps.extend(turn.stop())
                case Generate() as step:
                    with closing(generate(step)) as deltas:
                        for delta in deltas:
                            yield from _take(steps, turn.receive(delta), kernel)
                            if turn.state != "generating" or stopped() or manner.allowance.used_up():
                                break
                    if turn.state == "generating":
                        steps.extend(_end(turn, manner, stopped=stopped()))
                case Say() | Finish() as said:
                    yield said


def late_words(kernel: Kernel, manner: Manner | None = None, *, forbidden: Sequence[str] = ()) -> str:
    """What the model is to read, before a person's next message, of cells that ended after their deadline.

    Each result is given once; empty where there is none.
    """
    manner = manner or Manner()
    return "\n".join(
        for_model(result, forbidden=forbidden, pictures=manner.keep(result), late=True)
        for result in (*manner.ledger.left_behind(), *_late(kernel, manner))
    )


@contextmanager
def _companions(stopped: Callable[[], bool]) -> Generator[list[Running]]:
    """The cells of a reply that go on after their deadline: Stop, or a host that leaves, ends them too."""
    late: list[Running] = []
    left = True
    try:
        yield late
        left = stopped()
    finally:
        for running in late if left else ():
            running.interrupt()


def _answer(turn: Turn, result: Result, kernel: Kernel, manner: Manner) -> Sequence[Step]:
    """Give the turn what came of its cell, after what has come by now of earlier ones."""
    late = [Pictured(each, manner.keep(each)) for each in _late(kernel, manner)]
    return turn.receive_result(result, pictures=manner.keep(result), late=late)


def _end(turn: Turn, manner: Manner, *, stopped: bool) -> Sequence[Step]:
    """End what the model says: it was stopped, has had what it may have, or is done."""
    if stopped:
        return turn.stop()
    word = manner.allowance.used_up()
    return turn.exceed(word) if word else turn.close()


def _late(kernel: Kernel, manner: Manner) -> Sequence[Result]:
    """The results of cells that ended after their deadline, each of them once, to be told now."""
    late = kernel.take_late()
    manner.ledger.told(late)
    return late


def _take(steps: deque[Step], new: Sequence[Step], kernel: Kernel) -> Generator[Event]:
    """Give what was said at once; leave what needs the model's stream closed in `steps`."""
    for step in new:
        match step:
            case Say():
                yield step
            case Prepare():
                kernel.warm()
            case _:
                steps.append(step)


async def _run(
    run: Run, kernel: Kernel, manner: Manner, stop: asyncio.Event, late: list[Running]
) -> AsyncGenerator[Event]:
    known: Entry | Future[Result] | None
    known = await asyncio.to_thread(manner.ledger.recall, run.cell, run.ordinal)
    if known is None:
        consent = manner.consent(run)
        if not consent.done():
            yield Waiting(run.cell, run.ordinal)
        with manner.allowance.paused():
            async for beat in _beats(asyncio.wrap_future(consent), stop):
                yield beat
        if (refusal := _refusal(consent, stopped=stop.is_set())) is not None:
            yield Ended(refusal, run.ordinal)
            return
        known = await asyncio.to_thread(manner.ledger.claim, run.cell, run.ordinal)
    if isinstance(known, Future):
        async for beat in _beats(asyncio.wrap_future(known), stop):
            yield beat
        yield Ended(known.result() if known.done() else STOPPED, run.ordinal)
        return
    entry = known
    yield Started(run.cell, run.ordinal)
    loop = asyncio.get_running_loop()
    told: asyncio.Queue[Told | None] = asyncio.Queue()

    def tell(event: Told | None) -> None:
        loop.call_soon_threadsafe(told.put_nowait, event)

    running, interview = _begin(run, kernel, manner, entry, tell)
    running.future.add_done_callback(lambda _: tell(None))
    stopping = asyncio.ensure_future(stop.wait())
    stopping.add_done_callback(lambda task: None if task.cancelled() else running.interrupt())
    began = monotonic()
    try:
        while (event := await _next(told, began)) is not None:
            yield _heard(event, interview, running)
    finally:
        interview.close()
        stopping.cancel()
        if not running.future.done():
            running.interrupt()
    yield _ended(running, run, entry, late)


def _run_sync(
    run: Run, kernel: Kernel, manner: Manner, stopped: Callable[[], bool], late: list[Running]
) -> Generator[Event, None, Ended]:
    known: Entry | Future[Result] | None = manner.ledger.recall(run.cell, run.ordinal)
    if known is None:
        consent = manner.consent(run)
        if not consent.done():
            yield Waiting(run.cell, run.ordinal)
        with manner.allowance.paused():
            yield from _beats_sync(consent, stopped)
        if (refusal := _refusal(consent, stopped=stopped())) is not None:
            ended = Ended(refusal, run.ordinal)
            yield ended
            return ended
        known = manner.ledger.claim(run.cell, run.ordinal)
    if isinstance(known, Future):
        yield from _beats_sync(known, stopped)
        ended = Ended(known.result() if known.done() else STOPPED, run.ordinal)
        yield ended
        return ended
    entry = known
    yield Started(run.cell, run.ordinal)
    told: SimpleQueue[Told] = SimpleQueue()
    running, interview = _begin(run, kernel, manner, entry, told.put)
    asked = False
    try:
        for beat in _beats_sync(running.future, never):
            while not told.empty():
                yield _heard(told.get(), interview, running)
            if not asked and stopped():
                asked = True
                running.interrupt()
            yield _heard(beat, interview, running)
    finally:
        interview.close()
        if not running.future.done():
            running.interrupt()
    while not told.empty():
        yield _heard(told.get(), interview, running)
    ended = _ended(running, run, entry, late)
    yield ended
    return ended


def _begin(
    run: Run, kernel: Kernel, manner: Manner, entry: Entry, tell: Callable[[Told], None]
) -> tuple[Running, Interview]:
    """Hand the cell over; what it shows and asks is told in a thread of the kernel's.

    What it shows and how it ends is written down, whoever listens.
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
        deadline=manner.deadline,
        limit=manner.limit,
        on_output=show,
        on_question=ask if manner.ask is not None else None,
        on_send=entry.send,
    )
    running.future.add_done_callback(pause)
    running.settled.add_done_callback(lambda done: entry.finish(done.result()))
    return running, Interview(manner.ask, manner.allowance.paused)


def _heard(event: Told | Beat, interview: Interview, running: Running) -> Told | Beat:
    """Lay a question before the host, and count no time in which a person is waited for."""
    match event:
        case Asked(question):
            interview.receive(question, running)
        case Answered():
            interview.receive(None, running)
        case Beat(elapsed):
            return Beat(elapsed - interview.waited)
    return event


def _ended(running: Running, run: Run, entry: Entry, late: list[Running]) -> Ended:
    """What there is at the end of the wait for a cell; one that goes on is added to `late`."""
    result = running.future.result()
    if not _goes_on(result):
        return Ended(result, run.ordinal)
    running.listen(lambda change: entry.show(change.index, change.output))  # until a host does
    late.append(running)
    return Ended(result, run.ordinal, running)


def _goes_on(result: Result) -> bool:
    return result.status is Status.TIMEOUT and result.aftermath is Aftermath.BUSY


def _refusal(consent: Future[bool], *, stopped: bool) -> Result | None:
    """Why a cell does not run after all; None where it does."""
    if stopped or consent.cancelled() or not consent.done():
        consent.cancel()
        return STOPPED
    return None if consent.result() else DECLINED


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


async def _until(stop: asyncio.Event, deltas: AsyncGenerator[str]) -> AsyncGenerator[str]:
    """Give what `deltas` gives, up to the moment when `stop` is set, also while the model is silent."""
    stopping = asyncio.ensure_future(stop.wait())
    try:
        async with aclosing(deltas):
            while True:
                following = asyncio.ensure_future(anext(deltas, None))
                try:
                    await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not following.done():
                        following.cancel()
                        await asyncio.gather(following, return_exceptions=True)
                if following.cancelled() or (delta := following.result()) is None:
                    return
                yield delta
    finally:
        stopping.cancel()


def _decided(*, verdict: bool) -> Future[bool]:
    future: Future[bool] = Future()
    future.set_result(verdict)
    return future
