"""The thread in which kernel I/O lives."""

import asyncio
import concurrent.futures
import os
import subprocess
import sys
import threading

import pytest

from coderunner.kernel.io_thread import IOThread, io_thread
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND


async def where_am_i() -> str:
    return threading.current_thread().name


@behaviour("portal:one:process")
def test_there_is_one_portal_and_its_work_is_done_in_its_own_thread() -> None:
    assert io_thread() is io_thread()
    assert io_thread().call(where_am_i(), BOUND) == "coderunner"


@behaviour("portal:await:any-loop")
async def test_a_loop_of_another_thread_can_await_what_runs_in_it() -> None:
    assert await io_thread().run(where_am_i()) == "coderunner"


@behaviour("portal:await:cancel")
async def test_cancelling_there_cancels_here() -> None:
    begun, cancelled = threading.Event(), threading.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    task = asyncio.create_task(io_thread().run(work()))
    assert await asyncio.to_thread(begun.wait, BOUND)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(cancelled.wait, BOUND)


@behaviour("portal:call:bounded")
def test_a_call_that_takes_too_long_is_cancelled_and_says_so() -> None:
    cancelled = threading.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(concurrent.futures.TimeoutError):
        io_thread().call(work(), 0.01)
    assert cancelled.wait(BOUND)


@behaviour("portal:close:farewell")
def test_farewells_are_said_before_the_thread_ends_and_one_that_fails_stops_no_other() -> None:
    own = IOThread()
    said: list[str] = []

    async def fails() -> None:
        raise RuntimeError

    async def says() -> None:
        said.append("goodbye")

    async def forgotten() -> None:
        said.append("never")

    for farewell in (fails, says, forgotten):
        own.at_exit(farewell)
    own.forget(forgotten)
    own.close()
    own.close()
    assert said == ["goodbye"]


@behaviour("portal:fork:anew")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_child_has_an_io_thread_of_its_own() -> None:
    script = (
        "import os, sys, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "from coderunner.kernel.io_thread import io_thread\n"
        "async def one(): return 1\n"
        "assert io_thread().call(one(), 10) == 1\n"
        "if child := os.fork():\n"
        "    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "assert io_thread().call(one(), 10) == 1\n"
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=BOUND, check=False).returncode == 0


@behaviour("portal:hosts:loop")
async def test_a_host_has_kernels_live_in_its_own_loop() -> None:
    program = """
import asyncio, threading
from pathlib import Path
from tempfile import TemporaryDirectory

from coderunner.kernel.io_thread import in_this_loop, io_thread
from coderunner.kernel.sessions.registry import Local, Sessions


async def main(folder):
    async with in_this_loop():
        sessions = Sessions(Path(folder))
        session = sessions.get("here", Local())
        running = session.begin("print(10 + 5)")
        result = await asyncio.wrap_future(running.future)
        threads = [each.name for each in threading.enumerate()]
        print(result.outputs[0].text.strip(), threads.count("coderunner"))
        await sessions.close_all()
    await asyncio.to_thread(lambda: None)
    print(io_thread().here)


with TemporaryDirectory() as folder:
    asyncio.run(main(folder))
"""
    done = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said, _ = await asyncio.wait_for(done.communicate(), BOUND)
    assert said.decode().split() == ["15", "0", "False"]
