"""A kernel starts whatever lies in the folder that it works in, and imports from there later."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from coderunner.kernel.connections.kernel_specs import without_folder
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.sessions.registry import Local
from coderunner.outputs import Status
from coderunner.sandbox.backends import Availability, Backend
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, run
from tests.sandbox.backends_here import EVERYWHERE, printed, sessions_in

LOADED = "import os, sys; print(os.getcwd(), *sorted({name.partition('.')[0] for name in sys.modules}))"
IN_THE_WAY = "raise SystemExit('imported from the folder')"
AT_THE_START = {"ipykernel_launcher", "runpy", "sitecustomize", "usercustomize"}


@behaviour("local:start:own-modules")
@pytest.mark.parametrize("backend", EVERYWHERE)
def test_no_file_of_its_folder_keeps_a_kernel_from_starting(backend: Backend, tmp_path: Path) -> None:
    sessions = sessions_in(backend, tmp_path)
    session = sessions.get("c", Local(sandbox=Availability(backend)))
    try:
        _, *names = printed(run(session, LOADED)).split()
        (folder,) = tmp_path.iterdir()
        for name in {*names, *AT_THE_START} - {"__main__"}:
            (folder / f"{name}.py").write_text(IN_THE_WAY)
        (folder / "mine.py").write_text("answer = 42")
        io_thread().call(session.restart(), BOUND)
        result = run(session, "import mine; print(mine.answer)")
        assert (result.status, printed(result)) == (Status.OK, "42")
    finally:
        io_thread().call(sessions.close_all(keep=False), BOUND)


PROGRAM = "import json, sys; print(json.dumps([{place!r}, sys.argv[1:]]))"
COMMANDS = {
    "as Jupyter installs our own kernel": ["-m", "ipykernel_launcher", "-f", "x.json"],
    "with options before it": ["-Xfrozen_modules=off", "-W", "ignore", "-m", "ipykernel", "-f", "x.json"],
    "another kernel": ["-m", "other_kernel", "-f", "x.json"],
    "with the folder left out already": ["-P", "-m", "other_kernel", "-f", "x.json"],
}


@behaviour("local:start:own-modules")
@pytest.mark.parametrize("case", COMMANDS)
def test_the_program_of_a_kernel_is_the_installed_one(case: str, tmp_path: Path) -> None:
    for place in ("installed", "folder"):
        (tmp_path / place).mkdir()
        for name in ("ipykernel_launcher", "ipykernel", "other_kernel"):
            (tmp_path / place / f"{name}.py").write_text(PROGRAM.format(place=place))
    command = without_folder([sys.executable, *COMMANDS[case]])
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    ran = subprocess.run(
        command, cwd=tmp_path / "folder", env=environment, capture_output=True, timeout=BOUND, check=True
    )
    assert ran.stdout.decode().strip() == '["installed", ["-f", "x.json"]]'


@behaviour("local:start:own-modules")
@pytest.mark.parametrize("command", [["python", "-c", "pass", "-m", "x"], ["node", "-m", "x"], ["python"]])
def test_any_other_command_stays_as_it_is(command: list[str]) -> None:
    assert without_folder(command) == command
