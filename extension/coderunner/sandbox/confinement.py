"""One kernel in its sandbox: how it is started, and what it is shown while it runs."""

import asyncio
import marshal
import os
import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from coderunner.sandbox import offers, seatbelt
from coderunner.sandbox.egress.gate import Gate
from coderunner.sandbox.policy import Backend, Policy

PACKAGE = str(Path(__file__).parent.parent.parent)
"""The folder from which the launcher imports itself."""
BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from coderunner.sandbox.launcher.entry.main import main; main()"
)
LARGEST = 65_536
"""Bytes of a message of the launcher's."""
PATIENCE = 5.0
"""Seconds for the launcher to show a folder, which takes it less than a millisecond."""


@cache
def _filter() -> tuple[int, bytes] | None:
    """The number of the call that sets a filter of system calls, and that for kernels in namespaces.

    None where the calls of this machine are not known.
    """
    from coderunner.sandbox.launcher.call_filter import call_numbers, seccomp  # Linux's alone

    machine = os.uname().machine
    if machine not in seccomp.AUDIT:
        return None
    number = call_numbers.CALLS["seccomp"][call_numbers.COLUMN[machine]]
    return number or 0, seccomp.program(seccomp.IN_NAMESPACES, machine)


@dataclass(frozen=True, slots=True)
class Walls:
    """What a kernel is walled in by."""

    told: Mapping[str, Any]
    """Its policy, as the launcher takes it."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What is set in its environment."""
    gate: Gate | None = None
    """Its way to the network; None: there is none."""
    policy: Policy | None = None
    """What it is started with; what it is shown while it runs is not in it."""


@dataclass(slots=True)
class Confinement:
    """The launcher of one kernel, and the channel to it."""

    backend: Backend
    command: list[str]
    """What comes before the kernel's own command."""
    environment: dict[str, str]
    """What is set in its environment when it is started; a launcher of ours is told the rest."""
    stdin: int
    """What its process gets as standard input."""
    _ours: socket.socket
    _theirs: socket.socket
    _walls: Callable[[], Walls]
    walls: Walls = field(default_factory=lambda: Walls({}))
    """Nothing before it has `started`."""
    _turnstile: asyncio.Lock | None = None

    @classmethod
    def of(cls, backend: Backend, walls: Callable[[], Walls]) -> "Confinement":
        """Prepare the launcher for what it is told when it has `started`. Raises what `walls` raises."""
        if backend == "seatbelt":
            # It needs no launcher of ours, and tells it nothing.
            found = walls()
            ours, theirs = socket.socketpair()
            command, environment = seatbelt.command(found.told), dict(found.environment)
            return cls(backend, command, environment, theirs.fileno(), ours, theirs, lambda: found)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(0)
        command = [sys.executable, "-I", "-S", "-c", BOOT, PACKAGE, "--"]
        return cls(backend, command, {}, theirs.fileno(), ours, theirs, walls)

    def started(self, first: bytes = b"") -> None:
        """The process runs: its end of the channel is its own now, and it is told its policy.

        `first` is what it reads before that, if anything.

        All that takes a look at the disk is looked up here, while the launcher's interpreter comes up. Raises
        what that raises; the launcher ends when this is closed.
        """
        self._theirs.close()
        if first:
            self._send(first)
        self.walls = self._walls()
        if self.backend == "seatbelt":
            return
        told = {**self.walls.told, "backend": self.backend, "environment": dict(self.walls.environment)}
        if self.backend == "landlock":
            from coderunner.sandbox.launcher import landlock, limits  # Linux's alone

            told["spread"] = landlock.spread(told["system"])
            if os.geteuid() != 0:
                told["tasks"] = limits.tasks_of_user()
        else:
            from coderunner.sandbox.launcher.namespaces.secrets_of_root import secrets_of_root

            told["filter"] = _filter()
            told["secrets"] = secrets_of_root() if os.geteuid() == 0 else []
        self._send(marshal.dumps(told))

    def _send(self, message: bytes) -> None:
        try:
            self._ours.send(message)
        except OSError:
            self._ours.close()  # it has ended, or ends now: without a policy nothing starts

    def serve(self, conversation: str) -> None:
        """Let the kernel reach in the network what a conversation may; an empty one changes nothing."""
        if self.walls.gate is not None and conversation:
            self.walls.gate.conversation = conversation

    async def show(self, paths: Iterable[tuple[Path, bool]]) -> bool:
        """Let the running kernel reach more: paths, and whether each may be written. False: it cannot.

        Paths are absolute and without links.
        """
        if self.backend != "namespaces":
            return False
        shown = list(paths)
        asked = [(os.fspath(path), writable) for path, writable in shown]
        found = offers.Apart()
        if self.walls.policy is not None:
            found = await asyncio.to_thread(offers.apart, self.walls.policy, [path for path, _ in shown])
        message = (asked, list(map(str, found.run_later)), list(map(str, found.secret)))
        self._turnstile = self._turnstile or asyncio.Lock()
        async with self._turnstile:
            try:
                async with asyncio.timeout(PATIENCE):
                    loop = asyncio.get_running_loop()
                    await loop.sock_sendall(self._ours, marshal.dumps(message))
                    return await loop.sock_recv(self._ours, LARGEST) == b"1"
            except (OSError, TimeoutError):
                return False

    def close(self) -> None:
        """Let go: the launcher ends, and all that it started."""
        self._ours.close()
        self._theirs.close()
        if self.walls.gate is not None:
            self.walls.gate.close()
