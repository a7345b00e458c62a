"""A machine that has too little of something, and templates and kernels that fail when they are needed."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from coderunner.kernel.connections.forking.templates import can_fork
from coderunner.kernel.sessions.registry import Local, Session, Sessions
from coderunner.outputs import Aftermath, Status
from tests.behaviours import behaviour
from tests.faults.conftest import Ordeal, text_of
from tests.faults.crowded import GROUPS
from tests.kernel.conftest import BOUND
from tests.kernel.test_local_kernel import holds

pytestmark = pytest.mark.skipif(not can_fork(), reason="kernels cannot be forked here")

TOO_MANY = (
    "CodeRunner has too many files open for one kernel more; close chats that you do not need, or start it "
    "with a higher limit (ulimit -n)"
)
SAID = {
    "descriptors": {TOO_MANY, ""},
    "threads": {"no thread is left for it: can't start new thread"},
    "processes": {"kernel 'python3' cannot be started: [Errno 11] Resource temporarily unavailable"},
}


@behaviour("faults:shortage:start")
@pytest.mark.parametrize("what", SAID)
def test_no_kernel_can_be_started_for_want_of(what: str, tmp_path: Path, ordeal: Ordeal) -> None:
    if what == "processes" and not os.access(GROUPS, os.W_OK):
        pytest.skip("no group of processes can be limited here")
    command = [sys.executable, "-m", "tests.faults.crowded", what, str(tmp_path)]
    ordeal.strike()
    ended = subprocess.run(command, capture_output=True, text=True, timeout=4 * BOUND, check=False)
    cases = [json.loads(line) for line in ended.stdout.splitlines()]
    assert cases, ended.stderr
    for case in cases:
        status, detail = case["verdict"]
        assert detail in SAID[what], case
        assert (status == Status.OK) == (not detail), case
        # The kernel that was there works on, the next one starts as ever, and nothing is left of the others.
        assert (case["kept"], case["again"], case["gone"]) == (["ok", ""], ["ok", ""], True), case
    assert {case["verdict"][1] for case in cases} == SAID[what]
    ordeal.settle()
    ordeal.survived = True


LEAP = """
import json, sys, time
from pathlib import Path
real, leap = time.time, float(sys.argv[2])
shift = 0.0
time.time = lambda: real() + shift
from coderunner.kernel.connections import socket_folders
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.sessions.registry import Local, Sessions
sessions = Sessions(Path(sys.argv[1]))
session = sessions.get("c", Local())
session.begin("x = 7").wait(30)
running = session.begin("import time\\ntime.sleep(0.5)")
shift = leap
told = [running.wait(30), session.begin("while True: pass", deadline=1.0).wait(30)]
swept = socket_folders.sweep()
told.append(session.begin("assert x == 7").wait(30))
print(json.dumps([[each.status, each.detail, 0 < each.duration < 30] for each in told]))
io_thread().call(sessions.close_all(), 30)
"""


@behaviour("faults:clock:leaps")
@pytest.mark.parametrize("leap", [86_400, -86_400], ids=["a day on", "a day back"])
def test_the_clock_leaps_while_a_block_runs(leap: int, tmp_path: Path, ordeal: Ordeal) -> None:
    ordeal.strike()
    ended = subprocess.run(
        [sys.executable, "-c", LEAP, str(tmp_path), str(leap)],
        capture_output=True,
        text=True,
        timeout=4 * BOUND,
        check=False,
    )
    assert ended.stdout, ended.stderr
    overdue = [Status.TIMEOUT, "the limit is 1 s", True]
    assert json.loads(ended.stdout) == [[Status.OK, "", True], overdue, [Status.OK, "", True]]
    ordeal.settle()
    ordeal.survived = True


@pytest.fixture
async def forking(tmp_path: Path) -> AsyncIterator[Sessions]:
    """A registry whose template is ready."""
    sessions = Sessions(tmp_path / "work", preload=(), max_memory=0.3)
    sessions.prepare(Local())
    assert await asyncio.to_thread(
        holds, lambda: sessions._templates is not None and sessions._templates.ready
    )
    yield sessions
    async with asyncio.timeout(BOUND):
        await sessions.close_all(keep=False)


def template_of(sessions: Sessions) -> psutil.Process:
    """The process that kernels are forked of."""
    assert sessions._templates is not None
    assert sessions._templates._template is not None
    return psutil.Process(sessions._templates._template._process.pid)


async def begun(sessions: Sessions, name: str) -> Session:
    """A conversation with a forked kernel and a variable."""
    session = sessions.get(name, Local())
    assert (await session.execute("x = 7")).status is Status.OK
    assert sessions._confined[name].prepared
    return session


@behaviour("faults:shortage:memory")
async def test_a_forked_kernel_takes_too_much_memory(forking: Sessions, ordeal: Ordeal) -> None:
    greedy, other = [await begun(forking, name) for name in ("greedy", "other")]
    template = template_of(forking)
    ordeal.strike()
    result = await greedy.execute("much = bytearray(600_000_000)\nimport time; time.sleep(60)")
    ordeal.ends(
        result,
        Status.DIED,
        Aftermath.FRESH,
        "the kernel died while the code ran; variables are gone; it used more than 0.3 GB of memory, the "
        "limit set by max_memory",
    )
    assert text_of(await other.execute("print(x)")) == "7\n"
    await ordeal.goes_on(greedy, kept=False)
    assert forking._confined["greedy"].prepared
    assert template_of(forking) == template


@behaviour("faults:shortage:hangs")
async def test_a_forked_kernel_hangs_before_it_answers(
    forking: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ordeal: Ordeal
) -> None:
    other = await begun(forking, "other")
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text(
        f"import os, time\nmark = {str(tmp_path / 'mark')!r}\n"
        "if not os.path.exists(mark):\n    open(mark, 'w').close()\n    time.sleep(600)\n"
    )
    monkeypatch.setenv("IPYTHONDIR", str(startup.parent.parent))
    assert forking._templates is not None
    forking._templates.answers_within = 3.0
    session = forking.get("hangs", Local())
    ordeal.strike()
    result = await session.execute("x = 7")
    ordeal.settle()
    assert (result.status, result.detail, result.execution_count) == (Status.OK, "", 1)
    assert not forking._confined["hangs"].prepared
    assert text_of(await other.execute("print(x)")) == "7\n"
    assert (tmp_path / "mark").exists()
    await ordeal.goes_on(session, kept=True)
