"""The template: a process that has loaded what kernels need, and forks one whenever it is told to.

It runs no code of a conversation and is told nothing of one. It ends with us, however we end.
"""

import asyncio
import marshal
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

PACKAGE = str(Path(__file__).parent.parent.parent.parent.parent)
"""The folder from which it imports its own program."""
BOOT = (
    "import sys; sys.path[0] or sys.path.pop(0); sys.path.insert(0, sys.argv[1]); "
    "from coderunner.kernel.template.main import main; sys.path.remove(sys.argv[1]); main()()"
)
OF_PROGRAMS = re.compile(r"PYTHON|LD_|LC_|LANG|TZ|\w*MALLOC|GLIBC|OPENBLAS|GOTO|OMP_|KMP_|MKL_|BLIS_|CUDA")
"""Variables that the interpreter and libraries read which nobody sees reading them."""
LARGEST = 1_000_000
"""Bytes of a message."""
LOADING = 60.0
"""Seconds for all modules to be loaded: one or two as a rule, many on a cold disk."""
FORKING = 5.0
"""Seconds for a process to be forked, which takes some milliseconds."""


class NotForked(Exception):
    """There is no kernel; says why."""


class NoProcess(NotForked):
    """The machine has no process left for it."""


class Unforkable(Exception):
    """A module must not be loaded before a fork: its name, and why."""


class Template:
    """One that has loaded its modules. Lives in one loop at a time."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", control: socket.socket, environment: Mapping[str, str]
    ) -> None:
        self._process, self._control, self._environment = process, control, environment
        self._marks: dict[str, int] = {}
        self._asked_for: frozenset[str] = frozenset()
        self._turnstile = asyncio.Lock()

    @classmethod
    async def start(
        cls, environment: Mapping[str, str], told: Mapping[str, Any]
    ) -> "tuple[Template, list[str]]":
        """Start one, with what `main` of its program takes; returns also which modules could not be imported.

        Raises Unforkable and NotForked.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(0)
        with theirs, tempfile.TemporaryFile() as said:
            process = subprocess.Popen(  # noqa: S603, ASYNC220 - our own interpreter
                [sys.executable, "-c", BOOT, PACKAGE],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=said,
                cwd="/",
                env=dict(environment),
                start_new_session=True,
            )
            theirs.close()
            template = cls(process, ours, environment)
            try:
                answer = await template._asked(ours.send, marshal.dumps(dict(told)), LOADING)
            except BaseException as error:
                template.close()
                said.seek(0)
                words = said.read(LARGEST).decode(errors="replace").strip().splitlines()
                if words and isinstance(error, NotForked):
                    raise NotForked(f"{error}: {words[-1][:300]}") from None
                raise
        found = marshal.loads(answer)  # noqa: S302 - of a process that runs our program alone
        if "refused" in found:
            template.close()
            raise Unforkable(*found["refused"])
        template._marks, template._asked_for = found["marks"], frozenset(found["asked"])
        return template, found["missing"]

    def fits(self, environment: Mapping[str, str]) -> bool:
        """What it has loaded is what a process of an environment would load now. Looks at the disk.

        Nothing was installed or removed since it began to load, and what was read of the environment is the
        same.
        """
        changed = (
            name
            for name in environment.keys() | self._environment.keys()
            if environment.get(name) != self._environment.get(name)
        )
        other = any(name in self._asked_for or OF_PROGRAMS.match(name) for name in changed)
        return not other and all(_time(folder) == time for folder, time in self._marks.items())

    async def fork(self, channel: int, said: int) -> int:
        """Return the number of a new process, a child of ours; raises NotForked, and NoProcess.

        It reads from `channel` what it is to be, and writes its last words to `said`.
        """
        async with self._turnstile:
            try:
                answer = await self._asked(
                    lambda message: socket.send_fds(self._control, [message], [channel, said]), b"k", FORKING
                )
            except BaseException:
                self.close()  # a later answer would be taken for that to another question
                raise
        child = int.from_bytes(answer, "little", signed=True)
        if child <= 0:
            raise NoProcess(os.strerror(-child))
        return child

    async def _asked(self, send: Callable[[bytes], object], message: bytes, patience: float) -> bytes:
        try:
            async with asyncio.timeout(patience):
                send(message)
                answer = await asyncio.get_running_loop().sock_recv(self._control, LARGEST)
        except TimeoutError:
            raise NotForked(f"it did not answer within {patience:g} s") from None
        except OSError as error:
            raise NotForked(str(error)) from error
        if not answer:
            raise NotForked("it has ended")
        return answer

    def close(self) -> None:
        """End it; what it has forked lives on."""
        self._control.close()
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(FORKING)


def _time(folder: str) -> int:
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return 0
