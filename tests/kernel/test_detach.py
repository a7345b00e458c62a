"""What becomes of a cell that goes on after its deadline, on each kind of kernel."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from coderunner.kernel.execution.running_cell import RunningCell
from coderunner.kernel.sessions.registry import KernelLocation, Session, Sessions
from coderunner.outputs import Aftermath, Result, Status, Stream
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, Screen, run

LIMIT = 60.0


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A file for which cells wait."""
    return tmp_path / "gate"


def waits_for(gate: Path, *, then: str) -> str:
    """A cell that tells of its beginning, waits for the file, and goes on."""
    waits = f"while not os.path.exists({str(gate)!r}): time.sleep(0.01)"
    return f"import os, time\nprint('begun', flush=True)\n{waits}\n{then}"


def detached(session: Session, source: str) -> RunningCell:
    """A cell whose deadline is over."""
    running = session.begin(source, deadline=0.5, limit=LIMIT)
    result = running.wait(BOUND)
    assert result is not None
    assert (result.status, result.aftermath) == (Status.TIMEOUT, Aftermath.BUSY)
    assert not running.settled.done()
    return running


def printed(result: Result) -> str:
    return "".join(output.text for output in result.outputs if isinstance(output, Stream))


@behaviour("cell:detach:goes-on")
def test_after_its_deadline_a_cell_goes_on_to_its_result(session: Session, gate: Path) -> None:
    running = detached(session, waits_for(gate, then="print('and ended')"))
    soon = running.future.result()
    assert (printed(soon), soon.detail) == ("begun\n", "the limit is 0.5 s")
    gate.touch()
    result = running.settled.result(BOUND)
    assert (printed(result), result.status) == ("begun\nand ended\n", Status.OK)
    assert result.aftermath is Aftermath.READY


@behaviour("cell:detach:once")
def test_a_late_result_is_given_once(session: Session, gate: Path) -> None:
    running = detached(session, waits_for(gate, then="x = 1"))
    assert session.take_late() == []
    gate.touch()
    result = running.settled.result(BOUND)
    assert session.take_late() == [result]
    assert session.take_late() == []


@behaviour("cell:detach:in-time")
def test_a_cell_that_ends_in_time_is_not_late(session: Session) -> None:
    running = session.begin("print(1)", deadline=BOUND, limit=2 * BOUND)
    result = running.wait(BOUND)
    assert result is not None
    assert running.settled.result(BOUND) is result
    assert session.take_late() == []


@behaviour("cell:detach:live")
def test_whoever_listens_hears_of_output_after_the_deadline(session: Session, gate: Path) -> None:
    running = detached(session, waits_for(gate, then="print('news', flush=True)\ntime.sleep(600)"))
    screen = Screen()
    running.listen(screen)
    gate.touch()
    assert screen.wait_for("news")
    running.interrupt()
    running.settled.result(BOUND)


@behaviour("cell:detach:queue")
def test_the_next_cell_waits_in_line_and_its_deadline_begins_when_it_does(
    session: Session, gate: Path
) -> None:
    first = detached(session, waits_for(gate, then="x = 41"))
    second = session.begin("print(x + 1)", deadline=1.0)
    assert second.wait(1.5) is None
    gate.touch()
    result = second.wait(BOUND)
    assert result is not None
    assert (printed(result), result.status) == ("42\n", Status.OK)
    assert first.settled.done()


@behaviour("cell:detach:limit")
def test_at_its_limit_it_is_stopped(session: Session) -> None:
    running = session.begin("x = 1\nwhile True: pass", deadline=0.3, limit=0.8)
    result = running.settled.result(BOUND)
    assert (result.status, result.aftermath) == (Status.TIMEOUT, Aftermath.READY)
    assert result.detail == "the limit is 0.8 s"
    assert printed(run(session, "print(x)")) == "1\n"


@behaviour("cell:detach:interrupt")
def test_a_person_can_stop_it_after_its_deadline(session: Session, gate: Path) -> None:
    running = detached(session, waits_for(gate, then=""))
    running.interrupt()
    result = running.settled.result(BOUND)
    assert (result.status, result.aftermath) == (Status.INTERRUPTED, Aftermath.READY)


@behaviour("cell:detach:restart")
async def test_a_restart_ends_it_and_its_result_says_so(session: Session, gate: Path) -> None:
    running = detached(session, waits_for(gate, then=""))
    await session.restart()
    result = await asyncio.wrap_future(running.settled)
    assert (result.status, result.aftermath) == (Status.REPLACED, Aftermath.FRESH)
    assert session.take_late() == [result]


@behaviour("cell:detach:moved")
def test_a_conversation_that_moves_takes_its_late_results_along(
    sessions: Sessions, where: KernelLocation, gate: Path
) -> None:
    running = detached(sessions.get("moving", where), waits_for(gate, then=""))
    moved = sessions.get("moving", replace(where, kernel_name="another"))
    result = running.settled.result(BOUND)
    assert result.status is Status.REPLACED
    assert moved.take_late() == [result]
