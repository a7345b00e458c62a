"""A cell and the calls about it, where the way to its kernel fails."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from coderunner.hosts.mcp.background_cell import FAILED, BackgroundCell
from coderunner.outputs import Status
from coderunner.records.run_once import UnrecordedRuns
from coderunner.runner import Cell, Local, RunOptions, Session, Sessions
from tests.behaviours import behaviour

BOUND = 30.0


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


@behaviour("mcp:run:fault")
async def test_a_call_whose_cell_fails_by_a_fault_of_ours_is_answered(kernel: Session) -> None:
    work = BackgroundCell("1", kernel, RunOptions(runs=Broken()))
    async with asyncio.timeout(BOUND):
        await work.settle(2 * BOUND, quietly)
    assert work.result is not None
    assert (work.result.status, work.result.detail) == (Status.LOST, FAILED)
