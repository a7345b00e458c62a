"""How many kernels this machine has room for, by the settings or by its memory."""

import sys
from dataclasses import dataclass, field
from typing import Self

from coderunner.kernel.room import machine_memory
from coderunner.settings.settings import Settings

PER_KERNEL = 100_000_000
"""Bytes of the machine's memory for each kernel: a forked one takes a fifth of that to half of it, with what
a small program holds; beyond that, what is free decides."""
HANDLES = 12
"""Files that we have open for each kernel: its sockets, and the ends of its sandbox."""
OTHER_HANDLES = 256
"""Files that we have open beside those."""
FEWEST = 4
IDLE = 3600.0
"""Seconds after which a kernel that nobody uses is let go."""
WAIT = 60.0
"""Seconds that a conversation waits for room."""
RESERVE = 20
"""A twentieth of the machine's memory stays free for all else."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """The limits of a registry."""

    kernels: int = field(default_factory=lambda: by_machine())
    """At once, in all."""
    each: int = 0
    """Of one owner at once; 0: as many as in all."""
    idle: float = IDLE
    wait: float = WAIT
    reserve: int = field(default_factory=lambda: machine_memory.total() // RESERVE)
    """Bytes of memory that stay free: where there is less, kernels that rest are let go."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """What the settings mean."""
        return cls(
            settings.max_kernels or by_machine(), settings.max_kernels_each, idle=settings.kernel_idle * 60
        )


def by_machine() -> int:
    """Return how many kernels the machine's memory, and the files that we may open, are enough for."""
    return most(machine_memory.total(), _files())


def most(memory: int, files: int) -> int:
    """The same, of a machine with that many bytes of memory, for a process with that many open files."""
    return max(FEWEST, min(memory // PER_KERNEL, (files - OTHER_HANDLES) // HANDLES))


def _files() -> int:
    if sys.platform == "win32":
        return 8192  # what its C library allows
    import resource  # POSIX's alone

    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return soft if soft != resource.RLIM_INFINITY else sys.maxsize
