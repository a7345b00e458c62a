"""How a server ends while code of a client runs."""

import asyncio
import contextlib
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.behaviours import behaviour
from tests.hosts.mcp.clients import environment, over_http

SLEEPS = """\
import time
from pathlib import Path
try:
    print("sleeps", flush=True)
    time.sleep(600)
finally:
    Path({path!r}).write_text("interrupted")
"""
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
BOUND = 60.0


@contextlib.contextmanager
def server(folder: Path, *flags: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "coderunner", "mcp", "--approve", "auto", *flags],
        env=environment(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(BOUND)
        for stream in (process.stdin, process.stdout, process.stderr):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()


def send(
    process: subprocess.Popen[str], method: str, parameters: Mapping[str, Any], identity: int = 0
) -> None:
    message = {"jsonrpc": "2.0", "method": method, "params": parameters}
    assert process.stdin is not None
    process.stdin.write(json.dumps(message | ({"id": identity} if identity else {})) + "\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str], word: str) -> None:
    """Wait until it says the word."""
    assert process.stdout is not None
    assert any(word in line for line in process.stdout)


def said(process: subprocess.Popen[str]) -> tuple[int, str]:
    """How it ended, and what it said of that."""
    assert process.stderr is not None
    return process.wait(BOUND), process.stderr.read()


def closes(*names: str) -> Callable[[subprocess.Popen[str]], None]:
    def close(process: subprocess.Popen[str]) -> None:
        for name in names:
            getattr(process, name).close()

    return close


def is_sent(ends: signal.Signals) -> Callable[[subprocess.Popen[str]], None]:
    return lambda process: process.send_signal(ends)


WAYS = {
    "the client closes our input": closes("stdin"),
    "the client is killed": closes("stdout", "stdin"),
    "SIGTERM": is_sent(signal.SIGTERM),
    "SIGINT": is_sent(signal.SIGINT),
}


@behaviour("mcp:end:quietly")
@pytest.mark.parametrize("way", WAYS)
def test_a_server_that_ends_while_code_runs_interrupts_it_and_says_nothing(way: str, tmp_path: Path) -> None:
    end = tmp_path / "end"
    arguments = {"code": SLEEPS.format(path=str(end)), "wait": 600}
    with server(tmp_path / "data") as process:
        send(process, "initialize", HELLO, 1)
        hear(process, '"id":1')
        send(process, "notifications/initialized", {})
        call = {"name": "run_python", "arguments": arguments, "_meta": {"progressToken": 1}}
        send(process, "tools/call", call, 2)
        hear(process, "sleeps")
        WAYS[way](process)
        assert said(process) == (0, "")
    assert end.read_text() == "interrupted"


@behaviour("mcp:end:quietly")
@pytest.mark.parametrize("ends", [signal.SIGTERM, signal.SIGINT])
async def test_a_server_at_an_address_interrupts_what_runs_at_its_end(
    ends: signal.Signals, tmp_path: Path
) -> None:
    end, sleeps = tmp_path / "end", asyncio.Event()

    async def note(progress: float, total: float | None, message: str | None) -> None:
        if "sleeps" in (message or ""):
            sleeps.set()

    with server(tmp_path / "data", "--http", "--port", "0", "--allow-local-kernel") as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        with contextlib.suppress(Exception):  # the client misses its server
            async with over_http(found[0]) as client:
                arguments = {"code": SLEEPS.format(path=str(end)), "wait": 600}
                call = asyncio.create_task(client.call_tool("run_python", arguments, progress_callback=note))
                async with asyncio.timeout(BOUND):
                    await sleeps.wait()
                process.send_signal(ends)
                await asyncio.gather(call, return_exceptions=True)
        assert sleeps.is_set()
        assert await asyncio.to_thread(said, process) == (0, "")
    assert end.read_text() == "interrupted"
