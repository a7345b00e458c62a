"""The spare kernel: there before it is needed, and gone without a trace."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.sessions.registry import Local, Server, Sessions
from coderunner.outputs import Status
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, run
from tests.kernel.test_local_kernel import children, holds, names_in, printed


@pytest.fixture
def before() -> set[int]:
    """The processes that ran before the test."""
    return children()


@pytest.fixture
def spared(tmp_path: Path, before: set[int]) -> Iterator[Sessions]:
    """A registry with a spare kernel."""
    registry = Sessions(tmp_path / "work", spare=True)
    yield registry
    io_thread().call(registry.close_all(keep=False), BOUND)
    assert holds(lambda: children() <= before)


def ready(sessions: Sessions) -> bool:
    """Wait until the spare kernel has started."""
    spare = sessions._spare
    assert spare is not None
    return holds(lambda: spare.ready)


@behaviour("spare:kernel:taken")
def test_the_next_conversation_gets_a_kernel_that_was_there_already(spared: Sessions, tmp_path: Path) -> None:
    own = printed(spared.get("first", Local()), "import os; print(os.getpid())")
    assert ready(spared)
    there = children()
    next_one = spared.get("next", Local())
    pid = printed(next_one, "import os; print(os.getpid())")
    assert pid != own
    assert int(pid) in there
    here = str(tmp_path / "work" / "next")
    assert printed(next_one, "print(os.getcwd(), os.environ['PWD'], _dh)") == f"{here} {here} ['{here}']"
    assert printed(next_one, "open('note.txt', 'w').write('x'); print(len(In))") == "4"
    assert (tmp_path / "work" / "next" / "note.txt").exists()


@behaviour("spare:kernel:refilled")
def test_there_is_one_spare_kernel_and_no_more(spared: Sessions, before: set[int]) -> None:
    for name in ("one", "two"):
        run(spared.get(name, Local()), "1")
    assert ready(spared)
    assert len(children() - before) == 3
    assert run(spared.get("other", Local("ir")), "1").status is Status.REFUSED
    assert len(children() - before) == 3


@behaviour("spare:kernel:refilled")
def test_a_host_may_have_it_started_before_the_first_conversation(
    spared: Sessions, before: set[int], there: Server
) -> None:
    spared.prepare(there)
    spared.prepare(Local())
    assert ready(spared)
    (spare,) = children() - before
    assert printed(spared.get("first", Local()), "import os; print(os.getpid())") == str(spare)


@behaviour("spare:kernel:dead")
def test_a_spare_kernel_that_died_is_not_given_to_anybody(spared: Sessions, before: set[int]) -> None:
    spared.prepare(Local())
    assert ready(spared)
    (spare,) = children() - before
    os.kill(spare, signal.SIGKILL)
    assert holds(lambda: not spared._spare or not spared._spare.ready)
    result = run(spared.get("first", Local()), "1 + 1")
    assert (result.status, result.execution_count, result.detail) == (Status.OK, 1, "")


@behaviour("spare:leaks:none")
async def test_nothing_is_left_of_a_spare_kernel_wherever_its_start_is(
    tmp_path: Path, before: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for wait in (False, True):
        sessions = Sessions(spare=True)
        sessions.prepare(Local())
        if wait:
            assert await asyncio.to_thread(ready, sessions)
        waiting = sessions.get("c", Local()).begin("1")
        await sessions.close_all()
        await asyncio.wrap_future(waiting.future)
        sessions.prepare(Local())
    assert await asyncio.to_thread(holds, lambda: children() <= before)
    assert names_in(tmp_path) == []
