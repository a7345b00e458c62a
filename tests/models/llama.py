"""A real llama.cpp server with a tiny model, where its program is here.

`LLAMA_SERVER` names the program; else it is looked for as `llama-server`, as package managers install it.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

START = 60.0
"""Seconds until it answers; it takes one."""


def program() -> str:
    """The server's program; skips the test where there is none."""
    named = os.environ.get("LLAMA_SERVER", "llama-server")
    found = shutil.which(named)
    if found is None:
        pytest.skip(f"there is no {named}; name llama.cpp's server with LLAMA_SERVER")
    return found


@contextmanager
def llama_server(folder: Path, *flags: str) -> Iterator[str]:
    """Serve the tiny model until the block ends; gives the base URL."""
    command = program()
    from tests.models import tiny_gguf  # with numpy, for those alone who have the program

    model = folder / "tiny.gguf"
    if not model.exists():
        tiny_gguf.build(model)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    fixed = ("--model", str(model), "--port", port, "--ctx-size", "8192", "--parallel", "1", "--threads", "1")
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen([command, *fixed, "--jinja", *flags], stdout=log, stderr=log)
        try:
            _await(f"http://127.0.0.1:{port}/health", process, folder / "log.txt")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(START)


def _await(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(url, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    pytest.fail(f"llama-server did not start: {log.read_text()[-2000:]}")
