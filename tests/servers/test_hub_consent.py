"""Whoever uses a stopped server of a Hub agrees to its start: by a flag, or by an answer in a terminal."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from coderunner.kernel.connections.servers.hub_start import stopped_server
from coderunner.kernel.kernel_location import Server
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.servers.hub_double import hub_double
from tests.servers.place import HubPlace
from tests.servers.real import VENVS, hub

REPOSITORY = Path(__file__).parent.parent.parent
BOUND = 120.0
"""Seconds for a command, which may have to wait for a server and a kernel."""


@pytest.fixture(scope="module", params=["double", *(["real"] if VENVS else [])])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubPlace]:
    """A Hub."""
    with hub(tmp_path_factory.mktemp("hub")) if request.param == "real" else hub_double() as running:
        yield running


class Command:
    """A command that uses one of Ann's servers."""

    def __init__(self, place: HubPlace, folder: Path, server: str, *arguments: str, stdin: int) -> None:
        environment = {
            "CODERUNNER_TOKEN": place.token,
            "CODERUNNER_DATA_DIR": str(folder),
            "PYTHONPATH": str(REPOSITORY / "extension"),
        }
        command, *others = arguments
        self.running = subprocess.Popen(
            [
                *(sys.executable, "-m", "coderunner", command, "--server"),
                f"{place.url}/user/{server}",
                *others,
            ],
            env=os.environ | environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stdin if stdin >= 0 else subprocess.PIPE,
        )

    def ends(self) -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        out, told = self.running.communicate(timeout=BOUND)
        return self.running.returncode, out.decode(), (told or b"").decode()


async def runs(place: HubPlace, server: str) -> bool:
    return await stopped_server(Server(f"{place.url}/user/{server}", Secret(place.token))) is None


@behaviour("servers:hub-consent")
@pytest.mark.parametrize("command", [["check"], ["exec", "-c", "print(1)"]])
async def test_without_a_flag_or_a_terminal_nothing_is_started_and_the_flag_is_named(
    command: list[str], place: HubPlace, tmp_path: Path
) -> None:
    code, _, told = Command(place, tmp_path, "ann/old", *command, stdin=subprocess.DEVNULL).ends()
    assert code != 0
    assert "add --start-server to have the server started" in told
    assert not await runs(place, "ann/old")


@behaviour("servers:hub-consent")
async def test_in_a_terminal_it_is_asked_and_no_is_no(place: HubPlace, tmp_path: Path) -> None:
    assert "Start it? [y/N]" in asked(place, tmp_path, "n")
    assert not await runs(place, "ann/old")


@behaviour("servers:hub-consent")
async def test_a_yes_in_the_terminal_starts_it_and_shows_the_progress(
    place: HubPlace, tmp_path: Path
) -> None:
    assert "Looking for a place (30%)" in asked(place, tmp_path, "y")
    assert await runs(place, "ann/old")


def asked(place: HubPlace, folder: Path, answer: str) -> str:
    """What a terminal shows of a command whose question is answered."""
    ours, theirs = os.openpty()
    os.write(ours, f"{answer}\n".encode())
    command = Command(place, folder, "ann/old", "check", stdin=theirs)
    os.close(theirs)
    command.ends()
    shown = os.read(ours, 65_536).decode()
    os.close(ours)
    return shown


@behaviour("servers:hub-consent")
async def test_with_the_flag_it_is_started_and_the_command_goes_on(place: HubPlace, tmp_path: Path) -> None:
    program = ["exec", "--start-server", "-c", "print(10 + 5)"]
    code, out, told = Command(place, tmp_path, "ann/late", *program, stdin=subprocess.DEVNULL).ends()
    assert "Looking for a place (30%)" in told
    assert await runs(place, "ann/late")
    if place.real:
        assert (code, out) == (0, "15\n")
