"""What a process and all that it started use together, read from outside, cheaply.

Linux tells of the children of each thread. Elsewhere psutil goes through all processes of the machine.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Usage:
    """What they use together."""

    processes: tuple[int, ...]
    """The ids of the processes, the first one's own foremost."""
    threads: int
    """Of all of them."""
    memory: int
    """Bytes; memory that several of them have is counted more than once, so it is never too little."""


def usage(process: int, *, most_threads: int = 0) -> Usage:
    """Look at a process and all that come from it; beyond `most_threads` it looks no further."""
    members: list[int] = []
    threads = memory = 0
    for member, own in _members(process):
        members.append(member)
        threads += own
        memory += _resident(member)
        if 0 < most_threads < threads:
            break
    return Usage(tuple(members), threads, memory)


def own_memory(processes: tuple[int, ...]) -> int:
    """Return the bytes of memory that processes take from the machine; what they share is counted once.

    Without what is a copy of a file. Takes some milliseconds for each gigabyte.
    """
    return sum(map(_own, processes))


def _members(process: int) -> Iterator[tuple[int, int]]:
    if sys.platform != "linux" or not os.path.exists(PROC / "self" / "task" / str(os.getpid()) / "children"):
        yield from _members_by_psutil(process)
        return
    waiting, seen = [process], {process}
    while waiting:
        member = waiting.pop()
        threads = 0
        with suppress(OSError):
            for task in os.scandir(PROC / str(member) / "task"):
                threads += 1
                with suppress(OSError):
                    children = {int(each) for each in (Path(task.path) / "children").read_bytes().split()}
                    waiting += children - seen
                    seen |= children
            yield member, threads


def _members_by_psutil(process: int) -> Iterator[tuple[int, int]]:
    with suppress(psutil.Error):
        first = psutil.Process(process)
        for each in (first, *first.children(recursive=True)):
            with suppress(psutil.Error):
                yield each.pid, each.num_threads()


def _resident(process: int) -> int:
    if sys.platform == "linux":
        with suppress(OSError, IndexError):
            return int((PROC / str(process) / "statm").read_bytes().split()[1]) * _PAGE
        return 0
    with suppress(psutil.Error):
        return int(psutil.Process(process).memory_info().rss)
    return 0


_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
_SHARES = (b"Pss_Anon:", b"Pss_Shmem:", b"SwapPss:")
"""A process's share of memory: what `n` processes have together is a nth of each."""


def _own(process: int) -> int:
    if sys.platform != "linux":
        return _resident(process)
    with suppress(OSError):
        lines = (PROC / str(process) / "smaps_rollup").read_bytes().splitlines()
        shares = [int(line.split()[1]) * 1024 for line in lines if line.startswith(_SHARES)]
        if len(shares) == len(_SHARES):
            return sum(shares)
    return _resident(process)
