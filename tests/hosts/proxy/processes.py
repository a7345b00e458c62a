"""The proxy as a process of its own, as people start it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import openai

EXTENSION = Path(__file__).parents[3] / "extension"
WAIT = 60.0
"""Seconds after which a test gives up."""


@dataclass
class ProxyProcess:
    """A running proxy."""

    process: "subprocess.Popen[str]"
    url: str
    errors: Path
    """What it writes to stderr."""
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, trust_env=False, timeout=WAIT)

    def client(self, key: str, **options: Any) -> openai.OpenAI:
        return openai.OpenAI(
            base_url=f"{self.url}/v1", api_key=key, **{"timeout": WAIT, "max_retries": 0, **options}
        )

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        """Wait for its end; gives its exit code."""
        return self.process.wait(WAIT)

    def until(self, status: int, path: str = "/readyz") -> httpx.Response:
        """Ask until that is the status of a route."""
        end = time.monotonic() + WAIT
        while (answer := self.http.get(path)).status_code != status:
            assert time.monotonic() < end, answer.text
        return answer


@contextmanager
def proxy_process(
    folder: Path, upstream: str, *flags: str, variables: Mapping[str, str] | None = None
) -> Iterator[ProxyProcess]:
    """Start a proxy, its data in `folder`, and wait for its address; it is ended at the end of the block."""
    errors = folder / f"stderr-{len(list(folder.glob('stderr-*')))}"
    command = [sys.executable, "-m", "coderunner", "proxy", "--port", "0", "--upstream", upstream]
    with errors.open("w") as file:
        process = subprocess.Popen(
            [*command, "--data-dir", str(folder / "data"), *flags],
            env=os.environ | {"PYTHONPATH": str(EXTENSION), **(variables or {})},
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
        )
    try:
        assert process.stdout is not None
        while "CodeRunner is at" not in (line := process.stdout.readline()):
            assert line, errors.read_text()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found
        running = ProxyProcess(process, found[0], errors)
        yield running
        running.http.close()
    finally:
        process.kill()
        process.communicate()
