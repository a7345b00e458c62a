"""A cell and the calls about it, where the way to its kernel fails."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import pytest
from mcp.types import TextContent

from coderunner.hosts.mcp.background_cell import FAILED, STARTS, BackgroundCell
from coderunner.hosts.mcp.cell_report import report
from coderunner.kernel.room.capacity import Capacity
from coderunner.outputs import Status
from coderunner.records.run_once import UnrecordedRuns
from coderunner.runner import Cell, Change, Local, RunOptions, Session, Sessions
from coderunner.runner.events import NO_KERNEL_FREE
from tests.behaviours import behaviour
from tests.kernel.foreign import kernel_spec

BOUND = 30.0
SLOW = """\
import os, time
while not os.path.exists({gate!r}): time.sleep(0.01)
from ipykernel import kernelapp
kernelapp.launch_new_instance()
"""


@dataclass(frozen=True, slots=True)
class Broken(UnrecordedRuns):
    """A ledger with a fault of ours: it raises, which none may."""

    def recall(self, _cell: Cell, _ordinal: int) -> None:
        message = "a fault"
        raise KeyError(message)


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Session]:
    sessions = Sessions(tmp_path)
    yield sessions.get("work", Local())
    asyncio.run(sessions.close_all(keep=False))


async def quietly(_seconds: float, _words: str) -> None:
    """Tell nobody."""


@behaviour("mcp:run:waits")
async def test_code_that_waits_for_a_kernel_is_not_said_to_run(tmp_path: Path) -> None:
    sessions, words = Sessions(tmp_path, capacity=Capacity(1)), list[str]()

    async def hear(_seconds: float, said: str) -> None:
        words.append(said)

    try:
        runs, source = asyncio.Event(), "print('on', flush=True)\nwhile True: pass"
        loop = asyncio.get_running_loop()

        def tell(_change: Change) -> None:
            loop.call_soon_threadsafe(runs.set)

        running = sessions.get("busy", Local()).begin(source, deadline=2 * BOUND, on_output=tell)
        await asyncio.wait_for(runs.wait(), BOUND)
        waits = BackgroundCell("1", sessions.get("waits", Local()), RunOptions())
        async with asyncio.timeout(BOUND):
            while NO_KERNEL_FREE not in words:
                await waits.settle(0.6, hear)
            assert waits.state == "waiting_for_kernel"
            said = await report("waits", waits, str)
            assert isinstance(said.content[0], TextContent)
            assert re.match(r"\(waiting for a kernel, \d+ s so far: ", said.content[0].text)
            running.interrupt()
            await waits.settle(BOUND, quietly)
        assert waits.result is not None
        assert waits.result.status is Status.OK
    finally:
        await sessions.close_all(keep=False)


@behaviour("mcp:run:starts")
async def test_code_whose_kernel_is_still_starting_is_not_said_to_run(tmp_path: Path) -> None:
    gate, sessions, words = tmp_path / "gate", Sessions(tmp_path / "kernels"), list[str]()

    async def hear(_seconds: float, said: str) -> None:
        words.append(said)

    try:
        with kernel_spec("slow-start", SLOW.format(gate=str(gate))):
            work = BackgroundCell(
                "while True: pass", sessions.get("starts", Local("slow-start")), RunOptions()
            )
            async with asyncio.timeout(2 * BOUND):
                while STARTS not in words:
                    await work.settle(0.6, hear)
                said = await report("starts", work, str)
                before = monotonic()
                gate.touch()
                while work.state != "running":
                    await work.settle(0.1, quietly)
                ran, since = work.seconds, monotonic() - before
                work.stop()
                await work.settle(BOUND, quietly)
        assert isinstance(said.content[0], TextContent)
        assert re.match(r"\(the kernel is still starting, \d+ s so far; call", said.content[0].text)
        assert (said.structured_content or {})["state"] == "waiting_for_kernel"
        assert ran <= since
    finally:
        await sessions.close_all(keep=False)


@behaviour("mcp:run:fault")
async def test_a_call_whose_cell_fails_by_a_fault_of_ours_is_answered(kernel: Session) -> None:
    work = BackgroundCell("1", kernel, RunOptions(runs=Broken()))
    async with asyncio.timeout(BOUND):
        await work.settle(2 * BOUND, quietly)
    assert work.result is not None
    assert (work.result.status, work.result.detail) == (Status.LOST, FAILED)
