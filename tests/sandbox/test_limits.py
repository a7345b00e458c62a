"""What a sandboxed kernel may use, and what is left when it ends, in each backend of this machine."""

import uuid
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from coderunner.kernel.sessions.registry import Local
from coderunner.outputs import Aftermath, Error, Status
from coderunner.sandbox.backends import Backend
from coderunner.sandbox.policy import Limits
from tests.behaviours import behaviour
from tests.faults.conftest import happens
from tests.sandbox.backends_here import HERE, printed, sessions_in

TAKES = "taken = bytearray(200_000_000); import time; time.sleep(600)"
MEMORY, PROCESSES = 400_000_000, 60


@behaviour("sandbox:limits:memory")
@pytest.mark.parametrize("backend", HERE)
async def test_a_program_that_asks_for_too_much_memory_gets_an_error_and_keeps_its_variables(
    tmp_path: Path, backend: Backend
) -> None:
    sessions = sessions_in(backend, tmp_path, max_memory=MEMORY / 1e9, limits=Limits(memory=MEMORY))
    try:
        session = sessions.get("one", Local())
        result = await session.execute("kept = 1\ntaken = bytearray(6_000_000_000)")
        assert [each.ename for each in result.outputs if isinstance(each, Error)] == ["MemoryError"]
        assert (result.status, result.aftermath) == (Status.ERROR, Aftermath.READY)
        assert result.detail == "its memory is limited to 0.4 GB by the setting max_memory"
        assert printed(await session.execute("print(kept)")) == "1"
        source = f"""import subprocess, sys, time
them = [subprocess.Popen([sys.executable, "-c", {TAKES!r}]) for _ in range(3)]
time.sleep(600)"""
        result = await session.execute(source)
        assert (result.status, result.aftermath, result.detail) == (
            Status.DIED,
            Aftermath.FRESH,
            "it used more than 0.4 GB of memory, the limit set by max_memory",
        )
        assert printed(await session.execute("print('kept' in globals())")) == "False"
    finally:
        await sessions.close_all()


@behaviour("sandbox:limits:processes")
@pytest.mark.parametrize("backend", HERE)
async def test_a_program_that_starts_too_many_others_is_ended_with_all_of_them(
    tmp_path: Path, backend: Backend
) -> None:
    sessions = sessions_in(backend, tmp_path, limits=Limits(processes=PROCESSES))
    token = f"600.{uuid.uuid4().int % 10**9}"
    try:
        source = f"""import subprocess, time
them = []
try:
    while len(them) < {2 * PROCESSES}: them.append(subprocess.Popen(["sleep", "{token}"]))
except OSError: print("no more")
time.sleep(600)"""
        result = await sessions.get("one", Local()).execute(source)
        if printed(result) != "no more":
            assert (result.status, result.detail) == (
                Status.DIED,
                f"it started more than {PROCESSES} processes and threads",
            )
    finally:
        await sessions.close_all()
    await happens(lambda: not running(token))


@behaviour("sandbox:limits:files")
@pytest.mark.parametrize("backend", HERE)
async def test_a_file_grows_to_its_limit(tmp_path: Path, backend: Backend) -> None:
    sessions = sessions_in(backend, tmp_path, limits=Limits(file=3_000_000))
    source = """with open("grown", "wb", buffering=0) as file:
    file.write(b"x" * 1_000_000); file.seek(2_999_999); file.write(b"x"); file.write(b"x")"""
    try:
        result = await sessions.get("one", Local()).execute(source)
        assert [each.evalue for each in result.outputs if isinstance(each, Error)] == [
            "[Errno 27] File too large"
        ]
        assert result.detail == "a file that it writes may have at most 0.003 GB"
    finally:
        await sessions.close_all()


@behaviour("sandbox:limits:disk")
@pytest.mark.parametrize("place", [".", "/tmp"])
@pytest.mark.parametrize("backend", HERE)
async def test_a_program_whose_files_take_too_much_disk_is_ended_and_the_next_can_delete_them(
    tmp_path: Path, backend: Backend, place: str
) -> None:
    sessions = sessions_in(backend, tmp_path, limits=Limits(disk=8_000_000))
    grows = f"""import os, tempfile, time
place = {place!r} if {place!r} == "." else tempfile.gettempdir()
for number in range(600):
    os.makedirs(f"{{place}}/part-{{number}}")
    with open(f"{{place}}/part-{{number}}/grown", "wb") as file: file.write(b"x" * 1_000_000)
    time.sleep(0.1)"""
    try:
        session = sessions.get("one", Local())
        result = await session.execute(grows)
        assert (result.status, result.aftermath, result.detail) == (
            Status.DIED,
            Aftermath.FRESH,
            "its files took more than 0.008 GB of disk, the limit set by max_disk",
        )
        tidies = (
            "import shutil, glob, time; time.sleep(3)\nfor each in glob.glob('part-*'): shutil.rmtree(each)"
        )
        assert (await session.execute(tidies)).status is Status.OK
        assert printed(await session.execute("open('small', 'w').write('x'); print('15')")) == "15"
    finally:
        await sessions.close_all()


@behaviour("sandbox:ends:everything")
@pytest.mark.parametrize("way", ["close", "restart", "crash"])
@pytest.mark.parametrize("backend", HERE)
async def test_what_a_program_left_behind_ends_with_its_kernel(
    tmp_path: Path, backend: Backend, way: str
) -> None:
    sessions = sessions_in(backend, tmp_path)
    token = f"600.{uuid.uuid4().int % 10**9}"
    try:
        session = sessions.get("one", Local())
        await session.execute(f"""import os
if not os.fork():
    os.setsid()
    if not os.fork():
        os.execlp("sleep", "sleep", "{token}")
    os._exit(0)
os.wait()""")
        await happens(lambda: bool(running(token)))
        match way:
            case "close":
                await sessions.close("one")
            case "restart":
                await session.restart()
            case _:
                await session.execute("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
        await happens(lambda: not running(token))
    finally:
        await sessions.close_all()


def running(token: str) -> list[int]:
    """The processes that have a word on their command line."""
    them = psutil.process_iter(["cmdline"])
    return [process.pid for process in them if token in (process.info["cmdline"] or ())]
