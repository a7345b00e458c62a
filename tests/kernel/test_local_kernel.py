"""Kernels on this machine: their environment, their directory, their end."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from coderunner.errors import KernelNotStarted
from coderunner.kernel.connections import local_kernel
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.sessions.folders.chat_folders import slug
from coderunner.kernel.sessions.kernel_lifecycle import MOVED, REPLACED
from coderunner.kernel.sessions.registry import Capacity, Local, Session, Sessions
from coderunner.outputs import Aftermath, DisplayData, Result, Status, Stream
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, Screen, run


def printed(session: Session, source: str) -> str:
    result = run(session, source)
    assert result.status is Status.OK, result
    return "".join(output.text for output in result.outputs if isinstance(output, Stream)).strip()


def alive(pid: int) -> bool:
    return bool(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)


def holds(fact: Callable[[], bool], within: float = BOUND) -> bool:
    """Wait, bounded, until something holds that nobody tells us."""
    until = time.monotonic() + within
    while not fact() and time.monotonic() < until:
        threading.Event().wait(0.01)
    return fact()


def ends(pid: int) -> bool:
    """Wait until a process that is not our child has ended."""
    return holds(lambda: not alive(pid))


def becomes(session: Session, state: str) -> bool:
    return holds(lambda: session.status.state == state)


@pytest.fixture
def here(sessions: Sessions) -> Session:
    return sessions.get("here", Local())


@behaviour("local:environment:no-secrets")
def test_the_kernel_sees_none_of_our_secrets(here: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_API_KEY", "canary-4711")
    monkeypatch.setenv("PLAIN_WORD", "seen")
    everything = printed(here, "import os; print(dict(os.environ))")
    assert "canary-4711" not in everything
    assert "'PLAIN_WORD': 'seen'" in everything


@behaviour("local:interpreter:ours")
def test_the_kernel_runs_our_interpreter_without_an_installed_spec(here: Session) -> None:
    assert printed(here, "import sys; print(sys.executable)") == sys.executable
    assert printed(here, "import shutil; print(shutil.which('python'))") == str(
        Path(sys.executable).parent / "python"
    )


@behaviour("local:plots:inline")
def test_a_plot_is_shown_whatever_the_host_draws_with(here: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    result = run(here, "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()")
    assert [set(output.data) for output in result.outputs if isinstance(output, DisplayData)] == [
        {"image/png", "text/plain"}
    ]


@behaviour("local:directory:own")
def test_each_conversation_has_a_working_directory_of_its_own(sessions: Sessions, tmp_path: Path) -> None:
    here, there = sessions.get("../a/b", Local()), sessions.get("c", Local())
    printed(here, "open('note.txt', 'w').write('mine')\nprint()")
    assert printed(there, "import os; print(os.listdir())") == "[]"
    assert sessions.directory("../a/b").parent == tmp_path / "work"
    assert (sessions.directory("../a/b") / "note.txt").read_text() == "mine"


@behaviour("local:directory:names")
def test_no_two_conversations_share_a_directory_name() -> None:
    names = ["a", "a/b", "a b", "a-b", "../a", "ä", "ö", "", "x" * 41, "x" * 42, "C:\\"]
    assert len({slug(name) for name in names}) == len(names)
    assert all(Path(slug(name)).name == slug(name) for name in names)


@behaviour("local:sockets:private")
def test_nobody_else_can_reach_the_kernels_sockets(here: Session) -> None:
    path = Path(printed(here, "print(get_ipython().kernel.config['IPKernelApp']['connection_file'])"))
    assert path.parent.stat().st_mode & 0o077 == 0
    sockets = [entry for entry in path.parent.iterdir() if entry.is_socket()]
    assert len(sockets) == 5


@behaviour("local:sockets:short")
async def test_a_long_temporary_directory_does_not_break_the_sockets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    kernel = await io_thread().run(local_kernel.start("python3", tmp_path / "work"))
    await io_thread().run(kernel.close())
    assert list(deep.iterdir()) == []


@behaviour("local:history:off")
def test_our_kernels_do_not_write_ipythons_history(here: Session) -> None:
    assert printed(here, "print(get_ipython().history_manager.enabled)") == "False"


@behaviour("local:death:at-once")
async def test_the_death_of_an_idle_kernel_is_noticed_and_told_with_the_next_result(here: Session) -> None:
    first = await here.execute("import os\nx = 1\nprint(os.getpid())")
    os.kill(int(str(first.outputs[0].text)), signal.SIGKILL)  # type: ignore[union-attr]
    assert await asyncio.to_thread(becomes, here, "dead")
    result = await here.execute("print('x' in globals())")
    assert result.outputs == (Stream("stdout", "False\n"),)
    assert result.detail == "this is a new kernel; earlier variables are gone"


@behaviour("session:state:moved")
def test_a_conversation_that_has_moved_says_so_with_its_first_result(
    sessions: Sessions, here: Session, tmp_path: Path
) -> None:
    run(here, "x = 1")
    moved = sessions.get(here.conversation, Local(directory=str(tmp_path)))
    result = run(moved, "print('x' in globals())")
    assert (result.outputs, result.detail) == ((Stream("stdout", "False\n"),), MOVED)
    assert run(moved, "x = 1").detail == ""
    again = sessions.get(here.conversation, Local())
    assert run(again, "1").detail == MOVED
    sessions.get("untouched", Local())
    assert run(sessions.get("untouched", Local(directory=str(tmp_path))), "1").detail == ""


@behaviour("local:death:output-kept")
def test_what_a_kernel_showed_before_it_died_is_kept(here: Session) -> None:
    source = "import os, time\nprint('last words', flush=True)\ntime.sleep(0.3)\nos.kill(os.getpid(), 9)"
    result = run(here, source)
    assert (result.status, result.outputs) == (Status.DIED, (Stream("stdout", "last words\n"),))


@behaviour("local:end:group")
async def test_closing_ends_the_kernel_and_all_that_it_started(here: Session) -> None:
    source = (
        "import os, subprocess\nchild = subprocess.Popen(['sleep', '600'])\nprint(os.getpid(), child.pid)"
    )
    result = await here.execute(source)
    kernel, child = map(int, str(result.outputs[0].text).split())  # type: ignore[union-attr]
    await here.close()
    assert ends(kernel)
    assert ends(child)


@behaviour("local:end:with-host")
@pytest.mark.parametrize("end", ["sys.exit()", "os.kill(os.getpid(), 9)"])
def test_a_kernel_ends_with_its_host_however_that_ends(end: str, tmp_path: Path) -> None:
    script = (
        "import os, sys\nfrom pathlib import Path\n"
        "from coderunner.kernel.sessions.registry import Local, Sessions\n"
        f"session = Sessions(Path({str(tmp_path)!r})).get('c', Local())\n"
        "result = session.begin('import os; print(os.getpid())').wait(60)\n"
        f"print(result.outputs[0].text, flush=True)\n{end}\n"
    )
    host = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, timeout=BOUND, check=False)
    assert ends(int(host.stdout))


@behaviour("local:start:last-words")
async def test_a_kernel_that_does_not_come_up_says_why(tmp_path: Path) -> None:
    specs = Path(os.environ["XDG_DATA_HOME"]) / "jupyter" / "kernels" / "broken"
    specs.mkdir(parents=True, exist_ok=True)
    (specs / "kernel.json").write_text(
        '{"argv": ["python", "-c", "raise SystemExit(\'no such library\')", "{connection_file}"],'
        ' "display_name": "Broken", "language": "python"}'
    )
    try:
        with pytest.raises(KernelNotStarted) as refused:
            await io_thread().run(local_kernel.start("broken", tmp_path))
    finally:
        shutil.rmtree(specs)  # other tests say which kernels there are
    assert str(refused.value) == "the kernel ended while it started: no such library"


@behaviour("sessions:cap:oldest-idle")
def test_over_the_cap_the_kernel_that_rested_longest_makes_room(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, capacity=Capacity(2))
    try:
        one, two, three = (sessions.get(name, Local()) for name in ("one", "two", "three"))
        for session in (one, two, three):
            run(session, "x = 1")
        assert [session.status.state for session in (one, two, three)] == ["none", "idle", "idle"]
        assert run(one, "x").detail == "this is a new kernel; earlier variables are gone"
    finally:
        io_thread().call(sessions.close_all(), BOUND)


IN_USE = "the one kernel on this machine is in use, and none has become free within 0.5 s"


@behaviour("sessions:cap:all-busy")
async def test_where_all_kernels_stay_in_use_a_cell_is_refused_with_the_way_out(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, capacity=Capacity(1, wait=0.5))
    screen = Screen()
    try:
        busy = sessions.get("busy", Local())
        running = busy.begin("import time\nprint('on', flush=True)\ntime.sleep(60)", on_output=screen)
        await screen.shows("on")
        result = await sessions.get("other", Local()).execute("1")
        assert (result.status, result.detail) == (
            Status.REFUSED,
            f"{IN_USE}: stop one, or try again",
        )
        running.interrupt()
        ended: Result = await asyncio.wrap_future(running.future)
        assert ended.status is Status.INTERRUPTED
    finally:
        await sessions.close_all()


@behaviour("local:memory:limited")
@pytest.mark.parametrize(
    "source",
    [
        "much = bytearray(600_000_000)\nimport time; time.sleep(60)",
        # Neither of the two holds so much by itself.
        """import subprocess, sys, time
take = 'much = bytearray(200_000_000); import time; time.sleep(60)'
them = [subprocess.Popen([sys.executable, '-c', take]) for _ in range(2)]
time.sleep(60)""",
    ],
    ids=["itself", "programs that it started"],
)
async def test_a_kernel_that_uses_more_memory_than_it_may_is_ended_and_that_is_said(
    tmp_path: Path, source: str
) -> None:
    sessions = Sessions(tmp_path, max_memory=0.3)
    try:
        session = sessions.get("c", Local())
        assert (await session.execute("x = 1")).aftermath is Aftermath.READY
        result = await session.execute(source)
        assert (result.status, result.aftermath, result.detail) == (
            Status.DIED,
            Aftermath.FRESH,
            "it used more than 0.3 GB of memory, the limit set by max_memory",
        )
        after = await session.execute("print('x' in globals())")
        assert (after.outputs, after.aftermath) == ((Stream("stdout", "False\n"),), Aftermath.READY)
        assert after.detail == ""
    finally:
        await sessions.close_all()


@behaviour("local:memory:shared")
async def test_memory_that_processes_share_is_counted_once(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, max_memory=0.4)
    source = """import multiprocessing, time
much = bytearray(b"x") * 200_000_000
with multiprocessing.get_context("fork").Pool(3) as pool:
    print(pool.map(len, ["ab"] * 3))
    time.sleep(1)
"""
    try:
        result = await sessions.get("c", Local()).execute(source)
        assert (result.status, result.outputs) == (Status.OK, (Stream("stdout", "[2, 2, 2]\n"),))
    finally:
        await sessions.close_all()


@behaviour("sessions:idle:rests")
async def test_a_kernel_that_nobody_uses_is_let_go_and_the_next_result_says_so(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, capacity=Capacity(idle=0.2))
    try:
        session = sessions.get("c", Local())
        await session.execute("x = 1")
        assert await asyncio.to_thread(becomes, session, "none")
        assert (await session.execute("1")).detail == "this is a new kernel; earlier variables are gone"
    finally:
        await sessions.close_all()


@behaviour("sessions:idle:rests")
async def test_a_kernel_that_somebody_is_about_to_use_is_not_idle(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, capacity=Capacity(idle=1000.0))
    try:
        session = sessions.get("c", Local())
        await session.execute("x = 1")
        after_the_cell = session._life._cull.due
        session.warm()
        await session.io_thread.run(asyncio.sleep(0))
        at_the_word = session._life._cull.due
        assert after_the_cell is not None
        assert at_the_word is not None
        assert at_the_word > after_the_cell
    finally:
        await sessions.close_all()


@behaviour("sessions:close:conversation")
async def test_closing_a_conversation_ends_its_kernel_and_a_new_one_may_begin(sessions: Sessions) -> None:
    session = sessions.get("c", Local())
    await session.execute("x = 1")
    await sessions.close("c")
    assert session.status.state == "none"
    again = sessions.get("c", Local())
    assert again is not session
    result = await again.execute("print('x' in globals())")
    assert result.outputs == (Stream("stdout", "False\n"),)


@behaviour("sessions:leaks:none")
async def test_nothing_is_left_when_all_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    sessions = Sessions()
    where = [sessions.get(str(number), Local()) for number in range(2)]
    results = [await session.execute("import os; print(os.getpid())") for session in where]
    assert (await sessions.get("unknown", Local("ir")).execute("1")).status is Status.REFUSED
    await sessions.close_all()
    assert all(ends(int(str(result.outputs[0].text))) for result in results)  # type: ignore[union-attr]
    assert names_in(tmp_path) == []
    assert sessions.all() == []


@behaviour("sessions:leaks:half-started")
async def test_a_kernel_that_is_closed_while_it_starts_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = children()
    for _ in range(5):
        sessions = Sessions()
        waiting = sessions.get("c", Local()).begin("1")
        await sessions.close_all()
        result = await asyncio.wrap_future(waiting.future)
        assert result.status is Status.REFUSED
    assert await asyncio.to_thread(holds, lambda: children() <= before)
    assert names_in(tmp_path) == []


def names_in(directory: Path) -> list[str]:
    return [path.name for path in sorted(directory.rglob("*"))]


def children() -> set[int]:
    """The processes that this one has started and that still run."""
    running = psutil.Process().children(recursive=True)
    return {child.pid for child in running if child.status() != psutil.STATUS_ZOMBIE}


@behaviour("local:directory:empty")
def test_a_working_directory_stays_only_where_something_lies_in_it(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    run(sessions.get("empty", Local()), "1")
    run(sessions.get("used", Local()), "open('kept.txt', 'w').close()")
    asyncio.run(sessions.close_all())
    assert [path.name for path in tmp_path.iterdir()] == ["used"]


@behaviour("session:resumed")
async def test_a_new_kernel_says_so_where_an_earlier_process_ran_cells(sessions: Sessions) -> None:
    session = sessions.get("resumed", Local())
    session.resume()
    results = [await session.execute("1") for _ in range(2)]
    assert [result.detail for result in results] == [REPLACED, ""]
