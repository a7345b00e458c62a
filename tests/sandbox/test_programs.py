"""Ordinary programs in real kernels, in each backend of this machine: what works outside works inside."""

import asyncio
from collections.abc import AsyncIterator
from importlib.util import find_spec

import pytest
import pytest_asyncio

from coderunner.kernel.sessions.registry import Local, Session, Sessions
from coderunner.outputs import Aftermath, Status
from coderunner.sandbox.backends import Backend
from tests.behaviours import behaviour
from tests.kernel.conftest import Screen
from tests.sandbox.backends_here import EVERYWHERE, printed, sessions_in
from tests.sandbox.programs import PROGRAMS, Program

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def rooms(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[Backend, Sessions]]:
    found = {backend: sessions_in(backend, tmp_path_factory.mktemp(backend)) for backend in EVERYWHERE}
    yield found
    for sessions in found.values():
        await sessions.close_all()


@pytest.fixture
def session(rooms: dict[Backend, Sessions], backend: Backend) -> Session:
    return rooms[backend].get("one", Local())


@behaviour("sandbox:programs:work")
@pytest.mark.parametrize("backend", EVERYWHERE)
@pytest.mark.parametrize("program", PROGRAMS, ids=[program.name for program in PROGRAMS])
async def test_a_program_works_in_a_sandbox(session: Session, program: Program) -> None:
    if program.needs and find_spec(program.needs) is None:
        pytest.skip(f"{program.needs} is not installed")
    result = await session.execute(program.source)
    assert (result.status, printed(result).splitlines()[-1:]) == (Status.OK, [program.says]), result


@behaviour("sandbox:programs:interrupted")
@pytest.mark.parametrize("backend", EVERYWHERE)
async def test_a_program_and_those_that_it_started_can_be_interrupted(session: Session) -> None:
    for source in ("import time; time.sleep(600)", "import subprocess; subprocess.run(['sleep', '600'])"):
        await session.execute("kept = 1")
        screen = Screen()
        running = session.begin(f"print('on', flush=True)\n{source}", on_output=screen)
        await screen.shows("on")
        running.interrupt()
        result = await asyncio.wrap_future(running.future)
        assert (result.status, result.aftermath) == (Status.INTERRUPTED, Aftermath.READY)
        assert printed(await session.execute("print(kept)")) == "1"
