"""What threads, tasks and programs show after the end of the cell that started them."""

import threading
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import pytest

from coderunner.kernel.execution.late_output import CELLS, COUNT, LateOutput
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.protocol.cell_outputs import Change
from coderunner.kernel.protocol.messages import Message
from coderunner.kernel.sessions.registry import Session
from coderunner.outputs import DisplayData, Result, Status, Stream
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, Screen, run

DISPLAY = "; display(HTML('<b>shown</b>'))" if int(version("ipykernel").partition(".")[0]) >= 7 else ""
"""ipykernel 6 gives what a thread displays to the newest cell."""


class Start(Protocol):
    def __call__(self, source: str, later: Screen) -> Result: ...


@pytest.fixture
def start(session: Session) -> Start:
    """Runs a cell to its end; what comes of it afterwards is shown on a screen."""

    def start(source: str, later: Screen) -> Result:
        result = session.begin(source, on_later=later).wait(BOUND)
        assert result is not None
        assert result.status is Status.OK, result
        return result

    return start


def waiting(gate: Path) -> str:
    """Waits for a file."""
    return f"while not os.path.exists({str(gate)!r}): time.sleep(0.01)"


@behaviour("later:thread:its-cell")
def test_a_thread_shows_in_its_cell_whatever_runs_meanwhile(
    session: Session, start: Start, tmp_path: Path
) -> None:
    first, done, second, screen = tmp_path / "first", tmp_path / "done", tmp_path / "second", Screen()
    thread = (
        "import os, threading, time\n"
        "from IPython.display import display, HTML\n"
        "def work():\n"
        f"    {waiting(first)}\n"
        f"    print('beside another cell'){DISPLAY}\n"
        f"    open({str(done)!r}, 'w').close()\n"
        f"    {waiting(second)}\n"
        "    print('alone')\n"
        "threading.Thread(target=work).start(); print('started')"
    )
    began = start(thread, screen)
    other = run(session, f"open({str(first)!r}, 'w').close()\n{waiting(done)}\nprint('of the other')")
    second.touch()
    assert screen.wait_for("alone")
    assert [began.outputs, other.outputs] == [
        (Stream("stdout", "started\n"),),
        (Stream("stdout", "of the other\n"),),
    ]
    *text, more = (output for output in screen.outputs if isinstance(output, Stream))
    if DISPLAY:
        assert [text, more] == [[Stream("stdout", "beside another cell\n")], Stream("stdout", "alone\n")]
        assert isinstance(screen.outputs[1], DisplayData)
    else:
        assert more.text == "beside another cell\nalone\n"


@behaviour("later:task:its-cell")
def test_a_task_shows_in_its_cell_whatever_runs_meanwhile(
    session: Session, start: Start, tmp_path: Path
) -> None:
    screen = Screen()
    task = (
        "import asyncio\nevent, done = asyncio.Event(), asyncio.Event()\n"
        "async def work():\n    await event.wait(); print('from the task'); done.set()\n"
        "task = asyncio.get_running_loop().create_task(work())"
    )
    start(task, screen)
    other = run(session, "event.set(); await done.wait(); print('of the other')")
    screen.wait_for("from the task")
    assert other.outputs == (Stream("stdout", "of the other\n"),)
    assert screen.outputs == [Stream("stdout", "from the task\n")]


@pytest.mark.skipif(not DISPLAY, reason="ipykernel 6 gives what is displayed to the newest cell")
@behaviour("later:thread:figure")
def test_a_figure_that_a_thread_makes_between_two_cells_is_none_of_the_second(
    session: Session, start: Start, tmp_path: Path
) -> None:
    gate, screen = tmp_path / "gate", Screen()
    start(
        "import os, threading, time\n%matplotlib inline\nimport matplotlib.pyplot as plt\n"
        f"def work():\n    {waiting(gate)}\n    plt.figure(); plt.plot([1, 2]); print('drawn')\n"
        "threading.Thread(target=work).start()",
        screen,
    )
    gate.touch()
    assert screen.wait_for("drawn")
    other, own = run(session, "print('next')"), run(session, "plt.plot([1]); print('own')")
    assert other.outputs == (Stream("stdout", "next\n"),)
    assert screen.wait_for("image/png")
    assert [type(output) for output in own.outputs] == [Stream, DisplayData]


@behaviour("later:thread:pool")
def test_what_a_pool_does_for_a_cell_shows_in_that_cell(session: Session, start: Start) -> None:
    screen = Screen()
    submit = "pool.submit(print, {}).result()"
    pool = "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)"
    start(f"{pool}\n{submit.format(1)}", screen)
    assert run(session, submit.format(2)).outputs == (Stream("stdout", "2\n"),)
    assert screen.outputs == []


SHOWN = "from IPython.display import HTML, display\nhandle = display(HTML('<b>0</b>'), display_id=True)"


@behaviour("later:display:its-cell")
def test_a_display_that_another_cell_updates_shows_in_its_own(session: Session, start: Start) -> None:
    screen = Screen()
    start(SHOWN, screen)
    updates = "for n in range(1, 4): handle.update(HTML(f'<b>{n}</b>'))\nprint('of the other')"
    other = run(session, updates)
    assert screen.wait_for("<b>3</b>")
    assert other.outputs == (Stream("stdout", "of the other\n"),)
    assert [output.data["text/html"] for output in screen.outputs if isinstance(output, DisplayData)] == [
        "<b>3</b>"
    ]


@behaviour("later:display:its-cell")
def test_a_display_that_a_thread_updates_after_the_end_shows_in_its_cell(
    start: Start, session: Session, tmp_path: Path
) -> None:
    screen, gate = Screen(), tmp_path / "gate"
    work = f"def work():\n    {waiting(gate)}\n    handle.update(HTML('<b>late</b>'))"
    start(f"import os, threading, time\n{SHOWN}\n{work}\nthreading.Thread(target=work).start()", screen)
    gate.touch()
    assert screen.wait_for("<b>late</b>")


@behaviour("later:taken:kept")
def test_what_nobody_took_of_a_cell_is_there_after_a_rest_of_its_session() -> None:
    earlier, later = LateOutput(), LateOutput()

    async def shows() -> None:
        for number in range(CELLS + 1):
            earlier.expect(str(number), lambda _change: None)
            shown = {"name": "stdout", "text": f"{number}"}
            earlier.receive(Message("iopub", "stream", parent=str(number), content=shown))
        earlier.close()
        later.take_over(earlier)

    io_thread().call(shows(), BOUND)
    assert later.take() == [(Stream("stdout", f"{number}"),) for number in range(1, CELLS + 1)]
    assert [earlier.take(), later.take()] == [[], []]


@behaviour("later:bounded")
def test_what_goes_on_for_ever_is_bounded() -> None:
    told: list[Change] = []
    first, last = threading.Event(), threading.Event()

    def note(change: Change) -> None:
        told.append(change)
        (last if "outputs left out" in str(change.output) else first).set()

    async def flood() -> LateOutput:
        later = LateOutput()
        for number in range(CELLS + 1):
            later.expect(str(number), note)
        for number in range(COUNT + 7):
            shown = {"data": {"text/plain": f"{number}"}}
            later.receive(Message("iopub", "display_data", parent=str(CELLS), content=shown))
            later.receive(Message("iopub", "display_data", parent="0", content=shown))
        return later

    later = io_thread().call(flood(), BOUND)
    assert last.wait(BOUND)
    assert len(told) == COUNT + 1
    assert "… 7 more outputs left out" in str(told[-1].output)

    async def close() -> None:
        later.close()

    io_thread().call(close(), BOUND)
