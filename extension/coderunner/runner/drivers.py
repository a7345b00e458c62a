"""The two drivers of a turn, with the same steps in the same order; only their waiting differs."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import aclosing, closing, contextmanager
from dataclasses import replace

from coderunner.chat.results.result_text import Heading, for_model
from coderunner.chat.steps import Finish, Generate, Prepare, Run, Say, Step, TurnResult, merged
from coderunner.chat.turn_state_machine import Turn
from coderunner.outputs import Output, Result
from coderunner.runner.events import Ended, Event, Late
from coderunner.runner.late_output_for_model import described, shown_afterwards
from coderunner.runner.run_cell import run, run_sync
from coderunner.runner.run_options import DECLINED, Kernel, RunOptions, never

BY_HAND = "the user stopped this block"

SLICE = 8_192
"""Characters that are parsed at once: the slowest known ones take about 3 µs each."""


async def converse(
    turn: Turn,
    generate: Callable[[Generate], AsyncGenerator[str]],
    kernel: Kernel,
    options: RunOptions | None = None,
    *,
    stop: asyncio.Event | None = None,
) -> AsyncGenerator[Event]:
    """Drive `turn` to its end. `stop` ends the reply early and keeps the outputs so far."""
    options = options or RunOptions()
    stop = stop or asyncio.Event()
    steps: deque[Step] = deque(turn.start())
    with _detached_cells(stop.is_set) as late:
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
                    later = await _described(kernel.take_afterwards(newest=False), kernel)
                    steps.extend(
                        _answer(turn, _as_told(ended, stopped=stop.is_set()), kernel, options, later)
                    )
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

    `stopped` is called at each delta and each beat.
    """
    options = options or RunOptions()
    steps: deque[Step] = deque(turn.start())
    with _detached_cells(stopped, go_on=options.left is not None) as late:
        while steps:
            match steps.popleft():
                case Prepare():
                    kernel.warm()
                case Run() | Generate() if word := options.allowance.used_up():
                    steps.extend(turn.exceed(word))
                case Run() as cell:
                    ended = yield from run_sync(cell, kernel, options, stopped, late)
                    later = shown_afterwards(kernel, newest=False)
                    ended = _as_told(ended, stopped=stopped())
                    steps.extend(_answer(turn, ended, kernel, options, later))
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
    """The late results of earlier cells, as text for the model before the user's next message.

    These are the results of cells that ended after their deadline, and the output of threads and tasks after
    the end of their cells; each is given once. Empty if there are none.
    """
    options = options or RunOptions()
    left = [_told(result, options) for result in options.runs.left_behind()]
    ended = [_told(result, options) for result in options.runs.told(kernel.take_late())]
    return "\n".join(
        for_model(
            late.result, forbidden=forbidden, pictures=late.pictures, links=late.links, heading=late.heading
        )
        for late in (*left, *ended, *_afterwards(shown_afterwards(kernel), options))
    )


@contextmanager
def _detached_cells(stopped: Callable[[], bool], *, go_on: bool = False) -> Generator[list[Late]]:
    """The cells of a reply that keep running after their deadline: Stop also interrupts them.

    So does a host that stops listening, unless they are to `go_on`.
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
    """Have the turn read a delta; a huge one in parts, so that the event loop is not blocked."""
    if len(delta) <= SLICE:
        return turn.receive(delta)
    steps: list[Step] = []
    for start in range(0, len(delta), SLICE):
        steps += turn.receive(delta[start : start + SLICE])
        await asyncio.sleep(0)
        if turn.state != "generating" or stop.is_set():
            break
    return merged(steps)


def _as_told(ended: Ended, *, stopped: bool) -> Ended:
    """A cell's end in the words for the model, which would else take a person's Stop for its own fault."""
    if stopped or not ended.by_hand:
        return ended
    result = ended.result
    return replace(ended, result=replace(result, detail="; ".join(filter(None, (result.detail, BY_HAND)))))


async def _described(shown: Sequence[tuple[Output, ...]], kernel: Kernel) -> Sequence[Result]:
    """What earlier cells have shown meanwhile; in a thread, since a sandbox may have to be asked."""
    return await asyncio.to_thread(described, shown, kernel) if shown else ()


def _answer(
    turn: Turn, ended: Ended, kernel: Kernel, options: RunOptions, later: Sequence[Result]
) -> Sequence[Step]:
    """Give the turn the result of its cell, after late results of earlier ones.

    `later` is what those have shown after their end; not the later output of this cell itself: its threads
    are no earlier block's.
    """
    result, late = ended.result, options.runs.told(kernel.take_late())
    if ended.running is not None and ended.running.settled.done():
        # It ended while its host read of its deadline: no result of it follows.
        result = ended.running.settled.result()
        late = [each for each in late if each is not result]
    told = _told(result, options)
    earlier = [*(_told(each, options) for each in late), *_afterwards(later, options)]
    return turn.receive_result(
        told.result, pictures=told.pictures, links=told.links, late=earlier, edited=ended.edited
    )


def _end(turn: Turn, options: RunOptions, *, stopped: bool) -> Sequence[Step]:
    """End the model's text: it was stopped, has used up its budget, or is done."""
    if stopped:
        return turn.stop()
    word = options.allowance.used_up()
    return turn.exceed(word) if word else turn.close()


def _rest(turn: Turn) -> list[Say]:
    """The text that was held back when the model's stream broke. Its open block is not run."""
    return [step for step in turn.stop() if isinstance(step, Say)]


def _afterwards(later: Sequence[Result], options: RunOptions) -> Sequence[TurnResult]:
    """The output of threads and tasks after the end of their cells."""
    return [_told(result, options, Heading.AFTERWARDS) for result in later]


def _told(result: Result, options: RunOptions, heading: Heading = Heading.LATE) -> TurnResult:
    """A result with what the host adds to it."""
    return TurnResult(result, options.keep(result), heading, links=options.links(result))


def _take(steps: deque[Step], new: Sequence[Step], kernel: Kernel) -> Generator[Event]:
    """Give text at once; leave steps that need the model's stream closed in `steps`."""
    for step in new:
        match step:
            case Say():
                yield step
            case Prepare():
                kernel.warm()
            case _:
                steps.append(step)


async def _until(stop: asyncio.Event, deltas: AsyncGenerator[str]) -> AsyncGenerator[str]:
    """Give `deltas` until `stop` is set, also while the model is silent."""
    loop, bound = asyncio.get_running_loop(), asyncio.timeout(None)
    listening = False

    def cut(_: object) -> None:
        if listening:
            bound.reschedule(loop.time())

    # Each delta is awaited in this task: a task for each would cost more than everything else.
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
