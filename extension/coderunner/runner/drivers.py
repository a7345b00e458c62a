"""The two drivers of a turn: the same steps in the same order; they differ only in how they wait."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import aclosing, closing, contextmanager

from coderunner.chat.results.result_text import Heading, for_model
from coderunner.chat.steps import Finish, Generate, Prepare, Run, Say, Step, TurnResult, merged
from coderunner.chat.turn import Turn
from coderunner.outputs import Result
from coderunner.runner.events import Ended, Event, Late
from coderunner.runner.output_after_end import shown_afterwards
from coderunner.runner.run_cell import run, run_sync
from coderunner.runner.run_options import DECLINED, Kernel, RunOptions, never

SLICE = 8_192
"""Characters that are read in one go: the dearest that were found take some 3 µs each."""


async def converse(
    turn: Turn,
    generate: Callable[[Generate], AsyncGenerator[str]],
    kernel: Kernel,
    options: RunOptions | None = None,
    *,
    stop: asyncio.Event | None = None,
) -> AsyncGenerator[Event]:
    """Drive `turn` to its end. `stop` ends the reply early, with what the cell showed so far kept."""
    options = options or RunOptions()
    stop = stop or asyncio.Event()
    steps: deque[Step] = deque(turn.start())
    with _companions(stop.is_set) as late:
        while steps:
            match steps.popleft():
                case Prepare():
                    kernel.warm()
                case Run() | Generate() if word := options.allowance.used_up():
                    steps.extend(turn.exceed(word))
                case Run() as cell:
                    ended = Ended(DECLINED, cell.ordinal)
                    async with aclosing(run(cell, kernel, options, stop, late)) as events:
                        async for event in events:
                            ended = event if isinstance(event, Ended) else ended
                            yield event
                    steps.extend(_answer(turn, ended.result, kernel, options))
                case Generate() if stop.is_set():
                    steps.extend(turn.stop())
                case Generate() as step:
                    try:
                        async with aclosing(_until(stop, generate(step))) as deltas:
                            async for delta in deltas:
                                for said in _take(steps, await _read(turn, delta, stop), kernel):
                                    yield said
                                if turn.state != "generating" or options.allowance.used_up():
                                    break
                    except Exception:
                        for said in _rest(turn):
                            yield said
                        raise
                    if turn.state == "generating":
                        steps.extend(_end(turn, options, stopped=stop.is_set()))
                case Say() | Finish() as said:
                    yield said


def converse_sync(
    turn: Turn,
    generate: Callable[[Generate], Generator[str]],
    kernel: Kernel,
    options: RunOptions | None = None,
    *,
    stopped: Callable[[], bool] = never,
) -> Generator[Event]:
    """Drive `turn` to its end, for a host without an event loop.

    `stopped` is asked at each delta and at each beat.
    """
    options = options or RunOptions()
    steps: deque[Step] = deque(turn.start())
    with _companions(stopped, go_on=options.left is not None) as late:
        while steps:
            match steps.popleft():
                case Prepare():
                    kernel.warm()
                case Run() | Generate() if word := options.allowance.used_up():
                    steps.extend(turn.exceed(word))
                case Run() as cell:
                    ended = yield from run_sync(cell, kernel, options, stopped, late)
                    steps.extend(_answer(turn, ended.result, kernel, options))
                case Generate() if stopped():
                    steps.extend(turn.stop())
                case Generate() as step:
                    try:
                        with closing(generate(step)) as deltas:
                            for delta in deltas:
                                yield from _take(steps, turn.receive(delta), kernel)
                                if turn.state != "generating" or stopped() or options.allowance.used_up():
                                    break
                    except Exception:
                        yield from _rest(turn)
                        raise
                    if turn.state == "generating":
                        steps.extend(_end(turn, options, stopped=stopped()))
                case Say() | Finish() as said:
                    yield said


def late_words(kernel: Kernel, options: RunOptions | None = None, *, forbidden: Sequence[str] = ()) -> str:
    """What the model is to read, before a person's next message, of what has come of earlier cells by now.

    That is the results of those that ended after their deadline, and what threads and tasks have shown after
    the end of theirs; each is given once. Empty where there is none.
    """
    options = options or RunOptions()
    left = [TurnResult(result, options.keep(result)) for result in options.runs.left_behind()]
    return "\n".join(
        for_model(late.result, forbidden=forbidden, pictures=late.pictures, heading=late.heading)
        for late in (*left, *_late(kernel, options), *_afterwards(kernel, options))
    )


@contextmanager
def _companions(stopped: Callable[[], bool], *, go_on: bool = False) -> Generator[list[Late]]:
    """The cells of a reply that go on after their deadline: Stop ends them, too.

    So does a host that leaves, unless they are to `go_on` then.
    """
    late: list[Late] = []
    left = not go_on
    try:
        yield late
        left = False
    finally:
        for running in late if left or stopped() else ():
            running.interrupt()


async def _read(turn: Turn, delta: str, stop: asyncio.Event) -> Sequence[Step]:
    """Have the turn read a delta; between the parts of a huge one, others of the loop have their turn."""
    if len(delta) <= SLICE:
        return turn.receive(delta)
    steps: list[Step] = []
    for start in range(0, len(delta), SLICE):
        steps += turn.receive(delta[start : start + SLICE])
        await asyncio.sleep(0)
        if turn.state != "generating" or stop.is_set():
            break
    return merged(steps)


def _answer(turn: Turn, result: Result, kernel: Kernel, options: RunOptions) -> Sequence[Step]:
    """Give the turn what came of its cell, after what has come by now of earlier ones."""
    # What this very cell's threads show from now on is no earlier block's.
    late = [*_late(kernel, options), *_afterwards(kernel, options, newest=False)]
    return turn.receive_result(result, pictures=options.keep(result), late=late)


def _end(turn: Turn, options: RunOptions, *, stopped: bool) -> Sequence[Step]:
    """End what the model says: it was stopped, has had what it may have, or is done."""
    if stopped:
        return turn.stop()
    word = options.allowance.used_up()
    return turn.exceed(word) if word else turn.close()


def _rest(turn: Turn) -> list[Say]:
    """What was said and held back when the model's stream broke. A fence that it would close runs nothing."""
    return [step for step in turn.stop() if isinstance(step, Say)]


def _late(kernel: Kernel, options: RunOptions) -> Sequence[TurnResult]:
    """The results of cells that ended after their deadline, each of them once, to be told now."""
    late = options.runs.told(kernel.take_late())
    return [TurnResult(result, options.keep(result)) for result in late]


def _afterwards(kernel: Kernel, options: RunOptions, *, newest: bool = True) -> Sequence[TurnResult]:
    """What threads and tasks have shown after the end of their cells, each of it once, to be told now."""
    results = shown_afterwards(kernel, newest=newest)
    return [TurnResult(result, options.keep(result), Heading.AFTERWARDS) for result in results]


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


async def _until(stop: asyncio.Event, deltas: AsyncGenerator[str]) -> AsyncGenerator[str]:
    """Give what `deltas` gives, up to the moment when `stop` is set, also while the model is silent."""
    loop, bound = asyncio.get_running_loop(), asyncio.timeout(None)
    listening = False

    def cut(_: object) -> None:
        if listening:
            bound.reschedule(loop.time())

    # Each delta is awaited right here: a task for each would cost more than all the rest that is done for it.
    stopping = asyncio.ensure_future(stop.wait())
    stopping.add_done_callback(cut)
    try:
        async with aclosing(deltas):
            while not stop.is_set():
                try:
                    async with asyncio.timeout(None) as bound:
                        listening = True
                        delta = await anext(deltas, None)
                        listening = False
                except TimeoutError:
                    if not bound.expired():
                        raise
                    return
                finally:
                    listening = False
                if delta is None:
                    return
                yield delta
    finally:
        stopping.cancel()
