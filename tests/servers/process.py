"""Runs a server as a process of its own."""

import contextlib
import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

START = 90.0
"""Seconds for a server to answer: five as a rule, many the first time."""
SLOW, SLEEP = "slow", 8
"""A kernel that takes so many seconds to start."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextlib.contextmanager
def process(
    command: list[str], url: str, folder: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block ends; it answers at `url`, and its log is in `folder`."""
    with (folder / "log").open("ab") as log:
        running = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        until = time.monotonic() + START
        while not answers(url):
            if running.poll() is not None or time.monotonic() > until:
                message = f"{command[0]} did not start: {(folder / 'log').read_text()[-2000:]}"
                raise AssertionError(message)
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(0.1)
        yield running
    finally:
        running.terminate()
        try:
            running.wait(30)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait(30)


def slow_kernel(folder: Path, python: str) -> dict[str, str]:
    """Install a kernel that takes its time to start; gives the environment in which a server finds it."""
    spec = folder / "jupyter" / "kernels" / SLOW
    spec.mkdir(parents=True, exist_ok=True)
    start = (
        f"import time; time.sleep({SLEEP}); from ipykernel import kernelapp; kernelapp.launch_new_instance()"
    )
    argv = [python, "-c", start, "-f", "{connection_file}"]
    text = json.dumps({"argv": argv, "display_name": "Slow", "language": "python"})
    (spec / "kernel.json").write_text(text)
    return {"JUPYTER_PATH": str(folder / "jupyter")}


def asked(url: str, token: str, method: str = "GET", content: object = None) -> Any:
    """What a server answers, as JSON."""
    data = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(url, data, {"Authorization": f"token {token}"}, method=method)
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.loads(reply.read() or b"null")


def until(true: Callable[[], object]) -> None:
    """Wait until something is so; fails where it is not so in time."""
    end = time.monotonic() + START
    while not true():
        assert time.monotonic() < end
        threading.Event().wait(0.2)


def answers(url: str, *, well: bool = False) -> bool:
    """Whether anything speaks HTTP there; `well`: and what is asked for is there."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return not well
    except OSError:
        return False
