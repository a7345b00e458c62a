"""A look into files beside a real kernel: with its packages, in its folder, and nothing of it stays."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pandas
import pytest

from coderunner.errors import NotAnswered
from coderunner.files.looking import look
from coderunner.kernel.sessions.folders.first_rows import first_rows
from coderunner.kernel.sessions.registry import Local, Session, Sessions
from coderunner.outputs import Status, Stream
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND

MADE = """\
import os, sys
open('a.csv', 'w').write('x,y\\n' + '1,2\\n' * 7)
open('csv.py', 'w').write('open("ran", "w")')
before = sorted(globals()), len(sys.modules)
os.makedirs('elsewhere', exist_ok=True)
os.chdir('elsewhere')
"""
AFTER = """\
os.chdir('..')
new = [name for name in sorted(set(globals()) - set(before[0])) if name[0] != '_']
print(new, len(sys.modules) - before[1], os.path.exists('ran'))
"""


@behaviour("questions:beside")
async def test_a_kernel_looks_into_a_table_beside_itself(session: Session, tmp_path: Path) -> None:
    assert (await session.execute(MADE)).status is Status.OK
    gate = tmp_path / "go"
    waits = f"import time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)"
    running = session.begin(waits, deadline=BOUND)

    async def ask(question: str, told: Mapping[str, object], patience: float) -> Mapping[str, object]:
        return await session.ask(question, told, patience)

    paths = ["a.csv", "gone.csv"]
    found = await look(ask, paths, patience=BOUND, starting=lambda: False, stopped=lambda: False)
    assert found == [{"columns": ["x", "y"], "width": 2, "rows": 7, "exact": True}, {}]
    assert not running.future.done()
    gate.touch()
    await asyncio.wrap_future(running.future)
    (said,) = (await session.execute(AFTER)).outputs
    assert isinstance(said, Stream)
    assert said.text == "['before', 'time'] 0 False\n"  # names of the test's own


@behaviour("questions:beside-head")
async def test_a_kernel_that_has_not_started_is_started_to_read_the_first_rows_of_a_table(
    sessions: Sessions,
) -> None:
    session = sessions.get("head", Local())
    folder = sessions.folder("head", Local())
    folder.mkdir(parents=True, exist_ok=True)
    pandas.DataFrame({"x": [1, 2]}).to_parquet(folder / "a.parquet")
    found = await first_rows(session, "a.parquet")
    assert found == {"columns": ["x"], "rows": [["1"], ["2"]], "width": 1, "more": False}
    gone = await first_rows(session, "gone.parquet")
    assert gone == {}


@behaviour("questions:beside-bounded")
async def test_a_program_beside_the_kernel_is_bounded(session: Session) -> None:
    await session.execute("1")

    async def printed(ticket: str, source: str) -> object:
        told: dict[str, object] = {"ticket": ticket, "source": source}
        while not (answer := await session.ask("beside", told, BOUND)):
            told = {"ticket": ticket}
            await asyncio.sleep(0.02)
        return answer["printed"]

    assert await printed("whole", "print('x' * 1000)") == "x" * 1000 + "\n"
    assert await printed("large", "print('x' * 1_000_000)") == ""
    assert await printed("fails", "print('x'); 1 / 0") == ""
    with pytest.raises(NotAnswered, match="no such program"):
        await session.ask("beside", {"ticket": "whole"}, BOUND)
    for number in range(4):
        await session.ask(
            "beside", {"ticket": f"long{number}", "source": "import time; time.sleep(60)"}, BOUND
        )
    with pytest.raises(NotAnswered, match="too many"):
        await session.ask("beside", {"ticket": "one more", "source": "1"}, BOUND)
