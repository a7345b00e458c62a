"""What is promised of every kernel, shown on ipykernel, and on those of other makers where they are.

Each is on a Jupyter server; the kernel specs that it finds are in the server's folder.
"""

import asyncio
import base64
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from coderunner.kernel.connections.servers.running_kernels import existing
from coderunner.kernel.doctor.connection_check import check
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.kernel_location import Server
from coderunner.kernel.sessions.registry import Session, Sessions
from coderunner.outputs import Aftermath, DisplayData, ExecuteResult, Result, Status, Stream
from coderunner.text.terminal_text import plain
from tests.behaviours import behaviour
from tests.kernel.conftest import Screen
from tests.kernel.test_stdin import Person
from tests.servers.doubles import stock
from tests.servers.kernels import KERNELS, Cells, KernelRow
from tests.servers.place import PIXEL, Place
from tests.servers.real import VENVS, jupyter

BOUND = 60.0
"""Seconds that a test waits for what comes at once, or when a kernel has started."""
EVERY = list(KERNELS) if VENVS else ["ipykernel"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server that has them all."""
    folder = tmp_path_factory.mktemp("server")
    for name in EVERY:
        spec = folder / "jupyter" / "kernels" / name
        spec.mkdir(parents=True)
        (spec / "kernel.json").write_text(KERNELS[name].spec(), encoding="utf-8")
    with jupyter("jupyter_server", folder) if VENVS else stock(folder) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Tried:
    """A kernel, and a conversation that has one."""

    row: KernelRow
    session: Session
    sessions: Sessions
    where: Server

    @property
    def cells(self) -> Cells:
        return self.row.cells

    async def run(self, source: str, *, deadline: float = 30.0) -> Result:
        return await asyncio.wait_for(self.session.execute(source, deadline=deadline), BOUND)

    async def shown(self, source: str) -> str:
        return text_of(await self.run(source))


@pytest.fixture(params=EVERY)
def tried(request: pytest.FixtureRequest, place: Place, tmp_path: Path) -> Iterator[Tried]:
    """Each kernel, in a conversation of its own."""
    sessions, where = Sessions(tmp_path), replace(place.where, kernel_name=request.param)
    yield Tried(KERNELS[request.param], sessions.get(uuid.uuid4().hex, where), sessions, where)
    io_thread().call(sessions.close_all(keep=False), BOUND)


def text_of(result: Result) -> str:
    """What a cell printed, or its value."""
    printed = [each.text for each in result.outputs if isinstance(each, Stream)]
    values = [each.data for each in result.outputs if isinstance(each, ExecuteResult | DisplayData)]
    return "".join([*printed, *(plain(str(data.get("text/plain", ""))) for data in values)]).strip()


@behaviour("kernels:contract:check")
async def test_the_check_is_green(tried: Tried) -> None:
    report = await check(tried.where)
    assert report.ok, report.sentence


@behaviour("kernels:contract:run")
async def test_a_cell_runs_and_a_later_one_knows_its_variables(tried: Tried) -> None:
    assert await tried.shown(tried.cells.fifteen) == "15"
    assert (await tried.run(tried.cells.keep)).status is Status.OK
    assert await tried.shown(tried.cells.kept) == "42"


@behaviour("kernels:contract:error")
async def test_an_error_is_one_and_the_next_cell_runs(tried: Tried) -> None:
    assert (await tried.run(tried.cells.fail)).status is Status.ERROR
    assert await tried.shown(tried.cells.fifteen) == "15"


@behaviour("kernels:contract:deadline")
async def test_a_cell_is_stopped_at_its_limit(tried: Tried) -> None:
    await tried.run(tried.cells.keep)
    result = await tried.run(tried.cells.forever, deadline=1.0)
    assert (result.status, result.detail) == (Status.TIMEOUT, "the limit is 1 s")
    await goes_on(tried, result)


@behaviour("kernels:contract:interrupt")
async def test_a_person_can_stop_a_cell(tried: Tried) -> None:
    await tried.run(tried.cells.keep)
    screen = Screen()
    running = tried.session.begin(tried.cells.forever, on_output=screen)
    await screen.shows("on")
    running.interrupt()
    result = await asyncio.wait_for(asyncio.wrap_future(running.future), BOUND)
    assert result.status is Status.INTERRUPTED
    await goes_on(tried, result)


async def goes_on(tried: Tried, result: Result) -> None:
    """What was stopped says truly whether its variables are there."""
    assert (result.aftermath is Aftermath.READY) == tried.row.survives
    if tried.row.survives:
        assert await tried.shown(tried.cells.kept) == "42"
    assert await tried.shown(tried.cells.fifteen) == "15"


@behaviour("kernels:contract:input")
async def test_a_program_that_asks_gets_the_answer(tried: Tried) -> None:
    if not tried.cells.ask:
        pytest.skip("its cells cannot ask")
    person = Person(tried.session, tried.cells.ask)
    await asyncio.to_thread(person.replies, "Ann")
    result = await asyncio.to_thread(person.result)
    assert result.status is Status.OK
    assert text_of(result).endswith("Hello Ann")


@behaviour("kernels:contract:image")
async def test_a_picture_arrives(tried: Tried) -> None:
    if not tried.cells.picture:
        pytest.skip("its cells show none without more")
    result = await tried.run(tried.cells.picture)
    (picture,) = [output for output in result.outputs if isinstance(output, DisplayData)]
    assert base64.b64decode(str(picture.data["image/png"])) == base64.b64decode(PIXEL)


@behaviour("kernels:contract:death")
async def test_a_kernel_that_dies_is_told_and_the_next_cell_has_another(tried: Tried) -> None:
    await tried.run(tried.cells.keep)
    screen = Screen()
    running = tried.session.begin(tried.cells.forever, on_output=screen, deadline=BOUND)
    await screen.shows("on")
    (ours,) = [
        each for each in await existing(tried.where) if each.conversation == tried.session.conversation
    ]
    (process,) = [each for each in psutil.process_iter(["cmdline"]) if runs(each, ours.id)]
    process.kill()
    result = await asyncio.wait_for(asyncio.wrap_future(running.future), BOUND)
    assert (result.status, result.aftermath) == (Status.DIED, Aftermath.FRESH)
    assert await tried.shown(tried.cells.fifteen) == "15"


def runs(process: psutil.Process, kernel: str) -> bool:
    return any(kernel in word for word in process.info["cmdline"] or [])


@behaviour("kernels:contract:restart")
async def test_a_restart_empties_the_kernel(tried: Tried) -> None:
    await tried.run(tried.cells.keep)
    await tried.session.restart()
    result = await tried.run(tried.cells.fifteen)
    assert (text_of(result), result.detail) == ("15", "the kernel was restarted; earlier variables are gone")


@behaviour("kernels:contract:attach")
async def test_a_kernel_that_runs_there_is_used_and_left(tried: Tried) -> None:
    await tried.run(tried.cells.keep)
    where = replace(tried.where, attach=f"coderunner/{tried.session.conversation}")
    other = tried.sessions.get(uuid.uuid4().hex, where)
    result = await asyncio.wait_for(other.execute(tried.cells.kept), BOUND)
    assert (text_of(result), result.status, result.detail) == ("42", Status.OK, "")
    await other.close()
    assert await tried.shown(tried.cells.kept) == "42"
