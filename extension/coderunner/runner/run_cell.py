"""Runs one cell of a reply: the steps of `cell_steps`, with an event loop to wait in or without."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import closing
from queue import Empty, SimpleQueue
from typing import Any

from coderunner.chat.steps import Run
from coderunner.runner.cell_steps import Call, Pause, Signal, cell_steps
from coderunner.runner.events import BEAT, Ended, Event, Late, Told
from coderunner.runner.run_options import Kernel, RunOptions


async def run(
    run: Run, kernel: Kernel, options: RunOptions, stop: asyncio.Event, late: list[Late]
) -> AsyncGenerator[Event]:
    """Run a cell, or give its recorded result; one that keeps running after its deadline is added to `late`.

    The last event is an `Ended`.
    """
    loop = asyncio.get_running_loop()
    told: asyncio.Queue[Told | Signal] = asyncio.Queue()

    def tell(event: Told | Signal) -> None:
        loop.call_soon_threadsafe(told.put_nowait, event)

    async def answer(step: Call | Pause) -> object:
        if isinstance(step, Call):
            return await asyncio.to_thread(step.function)
        try:
            async with asyncio.timeout(BEAT):
                return await told.get()
        except TimeoutError:
            return Signal.SILENCE

    stopping = asyncio.ensure_future(stop.wait())
    stopping.add_done_callback(lambda _: told.put_nowait(Signal.WAKE))
    try:
        with closing(cell_steps(run, kernel, options, tell, stop.is_set, late)) as steps:
            answered: Any = None
            while True:
                try:
                    step = steps.send(answered)
                except StopIteration:
                    return
                answered = None
                if isinstance(step, Call | Pause):
                    answered = await answer(step)
                else:
                    yield step
    finally:
        stopping.cancel()


def run_sync(
    run: Run, kernel: Kernel, options: RunOptions, stopped: Callable[[], bool], late: list[Late]
) -> Generator[Event, None, Ended]:
    """The same as `run`, for a host without an event loop; gives the last event."""
    told: SimpleQueue[Told | Signal] = SimpleQueue()

    def answer(step: Call | Pause) -> object:
        if isinstance(step, Call):
            return step.function()
        try:
            return told.get(timeout=BEAT)
        except Empty:
            return Signal.SILENCE

    with closing(cell_steps(run, kernel, options, told.put, stopped, late)) as steps:
        answered: Any = None
        while True:
            try:
                step = steps.send(answered)
            except StopIteration as end:
                ended: Ended = end.value
                return ended
            answered = None
            if isinstance(step, Call | Pause):
                answered = answer(step)
            else:
                yield step
