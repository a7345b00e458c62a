"""Runs a tool that installs packages: bounded, heard while it runs, ended with all that it started."""

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LARGEST = 64_000_000
"""Bytes of an answer that are read: a report has the descriptions of all packages."""
LINES = 200
"""Of what a tool says, the last so many are kept."""
OURS = (
    *("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PIP_REQUIRE_VIRTUALENV", "PIP_SRC"),
    *(
        "PIP_DRY_RUN",
        "PIP_REPORT",
        "PIP_QUIET",
        "PIP_VERBOSE",
        "PIP_NO_BINARY",
        "PIP_ONLY_BINARY",
        "PIP_NO_DEPS",
    ),
    *("PIP_IGNORE_INSTALLED", "PIP_FORCE_REINSTALL", "PIP_REQUIREMENT", "PIP_EDITABLE", "PIP_REQUIRE_HASHES"),
    *(
        "UV_TARGET",
        "UV_PREFIX",
        "UV_PYTHON",
        "UV_SYSTEM_PYTHON",
        "UV_NO_BUILD",
        "UV_REQUIRE_HASHES",
        "UV_PROJECT",
    ),
    *("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "CONDA_PREFIX"),
)
"""Variables that would have a tool install something else, or somewhere else, than it is told."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a tool ended."""

    well: bool
    answer: str
    said: str
    """The last lines that it said beside its answer."""


class Stopped(Exception):
    """Somebody stopped it."""


def environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a tool knows of our environment: where its index is, and the way there; nothing of ours."""
    found = dict(os.environ if variables is None else variables)
    kept = {
        name: value
        for name, value in found.items()
        if name not in OURS and not name.startswith("CODERUNNER_")
    }
    # Nothing of the folder that it works in is imported, and nobody is asked.
    return kept | {
        "PYTHONSAFEPATH": "1",
        "PYTHONUTF8": "1",
        "PIP_NO_INPUT": "1",
        "NO_COLOR": "1",
        "UV_NO_PROGRESS": "1",
    }


def run(
    command: Sequence[str],
    folder: Path,
    *,
    patience: float,
    stop: threading.Event,
    hear: Callable[[str], None] = lambda _line: None,
) -> Ran:
    """Run a tool in a folder for at most `patience` seconds; `hear` gets each line that it says.

    Raises OSError where it cannot be started, and Stopped when `stop` is set.
    """
    said: deque[str] = deque(maxlen=LINES)
    answer: list[str] = []

    def listen(stream: IO[str]) -> None:
        for line in stream:
            said.append(line)
            hear(line.strip())

    def read(stream: IO[str]) -> None:
        answer.append(stream.read(LARGEST))
        while stream.read(65_536):
            pass

    with subprocess.Popen(  # noqa: S603 - a tool that we have found, and names that were checked
        list(command),
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        readers = [
            threading.Thread(target=read, args=(process.stdout,), daemon=True),
            threading.Thread(target=listen, args=(process.stderr,), daemon=True),
        ]
        for each in readers:
            each.start()
        try:
            _wait(process, patience, stop)
        except subprocess.TimeoutExpired:
            said.append(f"error: timed out after {patience:.0f} s\n")
        finally:
            _end(process)
            for each in readers:
                each.join()
    return Ran(process.returncode == 0, "".join(answer), "".join(said))


def _wait(process: "subprocess.Popen[str]", patience: float, stop: threading.Event) -> None:
    beat, waited = 0.05, 0.0
    while True:
        if stop.is_set():
            raise Stopped
        try:
            process.wait(beat)
            return
        except subprocess.TimeoutExpired:
            waited += beat
            if waited >= patience:
                raise


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        with suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.wait()
