"""The process that ran a cell is killed in the middle of it; the next one continues the reply."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from coderunner.outputs import Result, Status, Stream
from coderunner.records.claims import GONE
from coderunner.records.open_records import open_records
from coderunner.records.run_once import RecordedRuns
from coderunner.runner import Ended, Generate, Local, RunOptions, Sessions, Started, Turn, converse_sync
from tests.behaviours import behaviour
from tests.records.child import REPLY

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """The folder of a process that was killed in the middle of a cell."""
    paths = os.pathsep.join([str(REPOSITORY / "extension"), str(REPOSITORY)])
    with subprocess.Popen(
        [sys.executable, "-m", "tests.records.child", tmp_path],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n"
        child.kill()
    return tmp_path


def silence(_step: Generate) -> Generator[str]:
    yield ""


@behaviour("records:crash:killed")
@pytest.mark.timeout(120)
def test_after_kill_the_next_process_finds_the_run_lost_and_does_not_run_it(killed: Path) -> None:
    records, sessions = open_records("", killed), Sessions(killed / "kernels")
    options = RunOptions(runs=RecordedRuns(records, "chat", "reply"))
    kernel = sessions.get("chat", Local())
    continued = Turn(prior=REPLY, resume=True)
    events = list(converse_sync(continued, silence, kernel, options))
    asyncio.run(sessions.close_all(keep=False))
    records.close()
    assert [event.result for event in events if isinstance(event, Ended)] == [
        Result((Stream("stdout", "begun\n"),), Status.LOST, detail=GONE)
    ]
    assert not any(isinstance(event, Started) for event in events)
    assert [path.read_text() for path in killed.rglob("runs")] == ["once "]
