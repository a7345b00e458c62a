"""One kernel in its sandbox: how it is started, and what it is shown while it runs."""

import asyncio
import marshal
import os
import socket
import sys
from collections.abc import Iterable, Mapping
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


@dataclass(slots=True)
class Confinement:
    """The launcher of one kernel, and the channel to it."""

    backend: Backend
    command: list[str]
    """What comes before the kernel's own command."""
    environment: dict[str, str]
    """What is set in its environment."""
    stdin: int
    """What its process gets as standard input."""
    gate: Gate | None
    """Its way to the network; None: there is none."""
    _ours: socket.socket
    _theirs: socket.socket
    _told: Mapping[str, Any] = field(default_factory=dict)
    """What the launcher waits for when it has come up."""
    _turnstile: asyncio.Lock | None = None
    policy: Policy | None = None
    """What it was started with; what it is shown while it runs is not in it."""

    @classmethod
    def of(
        cls,
        backend: Backend,
        policy: Mapping[str, Any],
        environment: dict[str, str],
        gate: Gate | None = None,
    ) -> "Confinement":
        """Prepare the launcher for a policy, which it is told when it has `started`."""
        if backend == "seatbelt":
            # It needs no launcher of ours, and tells it nothing.
            ours, theirs = socket.socketpair()
            return cls(backend, seatbelt.command(policy), environment, theirs.fileno(), gate, ours, theirs)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(0)
        command = [sys.executable, "-I", "-S", "-c", BOOT, PACKAGE, "--"]
        told = {**policy, "backend": backend}
        return cls(backend, command, environment, theirs.fileno(), gate, ours, theirs, told)

    def started(self) -> None:
        """The process runs: its end of the channel is its own now, and it is told its policy.

        What takes a look at the disk is looked up here, while the launcher's interpreter comes up.
        """
        self._theirs.close()
        if self.backend == "seatbelt":
            return
        told = dict(self._told)
        if self.backend == "landlock":
            from coderunner.sandbox.launcher import landlock, limits  # Linux's alone

            told["spread"] = landlock.spread(told["system"])
            if os.geteuid() != 0:
                told["tasks"] = limits.tasks_of_user()
        else:
            told["filter"] = _filter()
        try:
            self._ours.send(marshal.dumps(told))
        except OSError:
            self._ours.close()  # it has ended, or ends now: without a policy nothing starts

    def serve(self, conversation: str) -> None:
        """Let the kernel reach in the network what a conversation may; an empty one changes nothing."""
        if self.gate is not None and conversation:
            self.gate.conversation = conversation

    async def show(self, paths: Iterable[tuple[Path, bool]]) -> bool:
        """Let the running kernel reach more: paths, and whether each may be written. False: it cannot.

        Paths are absolute and without links.
        """
        if self.backend != "namespaces":
            return False
        shown = list(paths)
        asked = [(os.fspath(path), writable) for path, writable in shown]
        found = offers.Apart()
        if self.policy is not None:
            found = await asyncio.to_thread(offers.apart, self.policy, [path for path, _ in shown])
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
        if self.gate is not None:
            self.gate.close()
