"""What is promised of every server, shown on what stands in for them, and on the real ones where they are."""

import asyncio
import base64
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from coderunner.errors import CodeRunnerError
from coderunner.kernel.connections.servers.running_kernels import existing
from coderunner.kernel.doctor.connection_check import check
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.sessions.registry import Session, Sessions
from coderunner.kernel.variables.asked import variables_in
from coderunner.outputs import Aftermath, DisplayData, ExecuteResult, Result, Status, Stream
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.faults.proxy import chaos
from tests.kernel.conftest import Screen
from tests.kernel.test_server_kernel import second_client
from tests.kernel.test_stdin import Person
from tests.servers.doubles import DOUBLES
from tests.servers.place import PIXEL, Place
from tests.servers.process import SLOW
from tests.servers.real import SERVERS, VENVS

BOUND = 60.0
"""Seconds that a test waits for something which comes at once, or when a kernel has started."""

EVERY = DOUBLES | SERVERS if VENVS else DOUBLES


@pytest.fixture(scope="module", params=EVERY)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Each server."""
    with EVERY[request.param](tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[Sessions]:
    """A registry of its own, whose kernels end with the test."""
    registry = Sessions(tmp_path / "work")
    yield registry
    io_thread().call(registry.close_all(keep=False), BOUND)


@pytest.fixture
def session(sessions: Sessions, place: Place) -> Session:
    """A conversation of its own."""
    return sessions.get(uuid.uuid4().hex, place.where)


async def run(session: Session, source: str, *, deadline: float = 30.0) -> Result:
    return await asyncio.wait_for(session.execute(source, deadline=deadline), BOUND)


async def printed(session: Session, source: str) -> str:
    return text_of(await run(session, source))


def text_of(result: Result) -> str:
    return "".join(output.text for output in result.outputs if isinstance(output, Stream))


def all_end(processes: list[int]) -> None:
    """Wait until these processes have ended."""
    there = [psutil.Process(each) for each in set(processes) if psutil.pid_exists(each)]
    assert psutil.wait_procs(there, BOUND)[1] == []


@behaviour("servers:check")
async def test_the_check_is_green(place: Place) -> None:
    report = await check(place.where)
    assert report.ok, report.sentence
    assert report.output.startswith("Hello from Python 3.")


@behaviour("servers:check:token")
async def test_the_check_says_that_a_token_is_wrong(place: Place) -> None:
    *_, last = (await check(replace(place.where, token=Secret("wrong")))).findings
    assert "token" in last.sentence
    assert not last.ok


@behaviour("servers:run")
async def test_a_cell_runs(session: Session) -> None:
    result = await run(session, "print(10 + 5)")
    assert (result.status, text_of(result), result.detail) == (Status.OK, "15\n", "")


@behaviour("servers:slow-start")
async def test_a_kernel_that_starts_slowly_is_waited_for(sessions: Sessions, place: Place) -> None:
    session = sessions.get(uuid.uuid4().hex, replace(place.where, kernel_name=SLOW))
    running = session.begin("print(1)")
    lights = set()
    while not running.future.done():
        lights.add(session.status.state)
        await asyncio.wait([asyncio.wrap_future(running.future)], timeout=0.5)
    result = running.future.result()
    assert (result.status, text_of(result), result.detail) == (Status.OK, "1\n", "")
    assert lights - {"none", "busy", "idle"} == {"starting"}


@behaviour("servers:state")
async def test_a_later_cell_knows_the_variables_of_an_earlier_one(session: Session) -> None:
    await run(session, "x = 41")
    assert await printed(session, "print(x + 1)") == "42\n"


@behaviour("servers:image")
async def test_a_picture_arrives(session: Session) -> None:
    shows = (
        "import base64\nfrom IPython.display import Image, display\n"
        f"display(Image(base64.b64decode({PIXEL!r})))"
    )
    result = await run(session, shows)
    (picture,) = [output for output in result.outputs if isinstance(output, DisplayData)]
    assert base64.b64decode(str(picture.data["image/png"])) == base64.b64decode(PIXEL)


@behaviour("servers:input")
async def test_a_program_that_asks_gets_the_answer(session: Session) -> None:
    person = Person(session, "print('Hello', input('Name? '))")
    await asyncio.to_thread(person.replies, "Ann")
    result = await asyncio.to_thread(person.result)
    assert (result.status, text_of(result)) == (Status.OK, "Name? Ann\nHello Ann\n")


@behaviour("servers:deadline")
async def test_a_cell_is_stopped_at_its_limit_and_its_variables_stay(session: Session) -> None:
    await run(session, "x = 1")
    result = await run(session, "while True: pass", deadline=1.0)
    assert (result.status, result.aftermath, result.detail) == (
        Status.TIMEOUT,
        Aftermath.READY,
        "the limit is 1 s",
    )
    assert await printed(session, "print(x)") == "1\n"


@behaviour("servers:interrupt")
async def test_a_person_can_stop_a_cell(session: Session) -> None:
    screen = Screen()
    running = session.begin("import time\nprint('on', flush=True)\ntime.sleep(60)", on_output=screen)
    await screen.shows("on")
    running.interrupt()
    result = await asyncio.wait_for(asyncio.wrap_future(running.future), BOUND)
    assert (result.status, result.aftermath) == (Status.INTERRUPTED, Aftermath.READY)
    assert await printed(session, "print('next')") == "next\n"


@behaviour("servers:death")
async def test_a_kernel_that_dies_is_told_and_the_next_cell_has_another(session: Session) -> None:
    await run(session, "x = 1")
    result = await run(session, "import os, time; time.sleep(0.5); os._exit(1)", deadline=BOUND)
    assert (result.status, result.aftermath) == (Status.DIED, Aftermath.FRESH)
    assert await printed(session, "print('x' in globals())") == "False\n"


@behaviour("servers:death-at-rest")
async def test_a_kernel_that_dies_between_two_cells_is_told_with_the_next_result(session: Session) -> None:
    ends = "import os, threading; threading.Timer(0.5, os._exit, [1]).start(); print(os.getpid())"
    dies = int(await printed(session, ends))
    await asyncio.to_thread(all_end, [dies])
    result = await run(session, "print('ends' in globals())")
    told = result.status is Status.DIED  # where it was sent before the server knew
    if told:
        result = await run(session, "print('ends' in globals())")
    assert (text_of(result), result.status) == ("False\n", Status.OK)
    assert told or "earlier variables are gone" in result.detail


@behaviour("servers:shared")
async def test_a_cell_ends_though_another_client_of_its_kernel_comes_and_goes(
    session: Session, place: Place
) -> None:
    names = "from ipykernel.connect import get_connection_file; print(get_connection_file())"
    kernel = Path(await printed(session, names)).stem.strip().removeprefix("kernel-")
    screen = Screen()
    runs = "import time\nprint('on', flush=True)\ntime.sleep(2)\nprint('off')\n6 * 7"
    running = session.begin(runs, on_output=screen, deadline=BOUND)
    await screen.shows("on")
    other = await io_thread().run(second_client(place.where, kernel))
    result = await asyncio.wait_for(asyncio.wrap_future(running.future), BOUND)
    await io_thread().run(other.close(keep=True))
    assert (text_of(result), result.status, result.detail) == ("on\noff\n", Status.OK, "")
    assert isinstance(result.outputs[-1], ExecuteResult)
    result = await run(session, "print('next')")
    assert (text_of(result), result.status, result.detail) == ("next\n", Status.OK, "")


@behaviour("servers:restart")
async def test_a_restart_empties_the_kernel(session: Session) -> None:
    await run(session, "x = 1")
    await session.restart()
    result = await run(session, "print('x' in globals())")
    assert (text_of(result), result.detail) == (
        "False\n",
        "the kernel was restarted; earlier variables are gone",
    )


@behaviour("servers:reconnect")
async def test_what_a_cell_shows_while_the_connection_is_lost_comes_or_is_said_to_be_missing(
    sessions: Sessions, place: Place
) -> None:
    async with chaos(place.url) as way:
        session = sessions.get(uuid.uuid4().hex, replace(place.where, url=way.url))
        await run(session, "x = 1")
        screen = Screen()
        running = session.begin(
            "import time\nprint('on', flush=True)\ntime.sleep(2)\nprint('off')", on_output=screen
        )
        await screen.shows("on")
        way.reset()
        result = await asyncio.wait_for(asyncio.wrap_future(running.future), BOUND)
        assert result.status in (Status.OK, Status.LOST)
        assert text_of(result) == "on\noff\n" or "missing" in result.detail or result.status is Status.LOST
        assert await printed(session, "print(x)") == "1\n"
        await sessions.close(session.conversation)


@behaviour("servers:found-again")
async def test_after_a_restart_of_ours_the_kernel_is_found_or_none_is_left(place: Place) -> None:
    conversation, before, after = uuid.uuid4().hex, Sessions(), Sessions()
    first = await before.get(conversation, place.where).execute("import os; x = os.getpid(); print(x)")
    await before.close_all()
    kernels = [int(text_of(first))]
    try:
        if place.lists:
            assert conversation in [each.conversation for each in await existing(place.where)]
        session = after.get(conversation, place.where)
        session.resume(first.execution_count or 0)
        result = await run(session, "import os; print('x' in globals(), os.getpid())")
        known, kernel = text_of(result).split()
        gone = "this is a new kernel; earlier variables are gone"
        assert (known, result.detail) == (str(place.lists), "" if place.lists else gone)
        kernels.append(int(kernel))
    finally:
        await after.close_all(keep=False)
    await asyncio.to_thread(all_end, kernels)


@behaviour("servers:list")
async def test_its_kernels_are_listed_or_the_setting_is_named(session: Session, place: Place) -> None:
    await run(session, "1")
    if place.lists:
        (ours,) = [each for each in await existing(place.where) if each.conversation == session.conversation]
        assert ours.kernel_name == "python3"
        return
    with pytest.raises(CodeRunnerError) as refused:
        await existing(place.where)
    assert "token" not in str(refused.value)
    assert place.setting in str(refused.value)


@behaviour("servers:attach")
async def test_a_kernel_that_runs_there_is_used_and_left_or_the_setting_is_named(
    sessions: Sessions, session: Session, place: Place
) -> None:
    await run(session, "x = 7")
    path = f"coderunner/{session.conversation}"
    other = sessions.get(uuid.uuid4().hex, replace(place.where, attach=path))
    result = await run(other, "print(x)")
    if place.lists:
        assert (text_of(result), result.status, result.detail) == ("7\n", Status.OK, "")
    else:
        assert result.status is Status.REFUSED
        assert place.setting in result.detail
    await other.close()
    result = await run(session, "print(x)")
    assert (text_of(result), result.status, result.detail) == ("7\n", Status.OK, "")


@behaviour("servers:questions")
async def test_a_kernel_there_lists_its_variables_while_a_cell_runs(session: Session) -> None:
    await run(session, "x = 42")
    screen = Screen()
    running = session.begin("import time\nprint('on', flush=True)\ntime.sleep(600)", on_output=screen)
    await screen.shows("on")
    listed = await variables_in(session, "int", patience=BOUND)
    assert [(each.name, each.value) for each in listed.variables] == [("x", "42")]
    assert not running.future.done()
    running.interrupt()
    assert (await asyncio.wrap_future(running.future)).status is Status.INTERRUPTED


@behaviour("servers:files")
async def test_a_file_goes_where_the_code_works_and_what_it_makes_comes_out(
    sessions: Sessions, session: Session, place: Place
) -> None:
    assert await printed(session, "import os; print(1)") == "1\n"
    folder = sessions.files(session.conversation, place.where)

    async def pieces() -> AsyncIterator[bytes]:
        yield b"x,y"

    name = f"{uuid.uuid4().hex}.csv"
    assert (await folder.write(name, pieces())).path == name
    seen = await printed(session, f"print(open({name!r}).read()); os.rename({name!r}, {'x' + name!r})")
    assert seen == "x,y\n"
    assert f"x{name}" in [file.path for file in (await folder.list()).files]
    file = await folder.open(f"x{name}")
    assert [piece async for piece in file.pieces(0, file.size)] == [b"x,y"]
    await file.close()
    await folder.delete(f"x{name}")
    assert await printed(session, f"print(os.path.exists({'x' + name!r}))") == "False\n"
