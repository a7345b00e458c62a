"""What a process and all that it started use together, read from outside, cheaply.

Linux tells of the children of each thread. Elsewhere psutil goes through all processes of the machine.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

PROC = Path("/proc")
MOST_THREADS = 10_000
"""Of all processes that are looked at to tell what a kernel uses."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What they use together."""

    processes: tuple[int, ...]
    """The ids of the processes, the first one's own foremost."""
    measured: tuple[int, ...]
    """Those whose memory counts."""
    threads: int
    """Of all of them."""
    memory: int
    """Bytes; memory that several of them have is counted more than once, so it is never too little."""


def usage(process: int, *, most_threads: int = 0, above: int = 0) -> Usage:
    """Look at a process and all that come from it; beyond `most_threads` it looks no further.

    The memory of the first `above` generations does not count: what they have, whoever forked them has.
    """
    members: list[int] = []
    measured: list[int] = []
    threads = memory = 0
    for member, own, depth in _members(process):
        members.append(member)
        threads += own
        if depth >= above:
            measured.append(member)
            memory += _resident(member)
        if 0 < most_threads < threads:
            break
    return Usage(tuple(members), tuple(measured), threads, memory)


def own_memory(processes: tuple[int, ...]) -> int:
    """Return the bytes of memory that processes take from the machine; what they share is counted once.

    Without what is a copy of a file. Takes some milliseconds for each gigabyte.
    """
    return sum(map(_own, processes))


def kernel_usage(process: int, *, above: int = 0) -> dict[str, float]:
    """Return what a kernel and all that it started use, as the question `usage` tells it."""
    found = usage(process, most_threads=MOST_THREADS, above=above)
    return {"memory": found.memory, "cpu": sum(map(_cpu, found.processes)), "at": time.monotonic()}


def _members(process: int) -> Iterator[tuple[int, int, int]]:
    """Yield processes, each with the number of its threads and its generation, of which the first is 0."""
    if sys.platform != "linux" or not os.path.exists(PROC / "self" / "task" / str(os.getpid()) / "children"):
        yield from ((member, threads, 0) for member, threads in _members_by_psutil(process))
        return
    waiting, seen = [(process, 0)], {process}
    while waiting:
        member, depth = waiting.pop()
        threads = 0
        with suppress(OSError):
            for task in os.scandir(f"{PROC}/{member}/task"):
                threads += 1
                with suppress(OSError), Path(f"{task.path}/children").open("rb", 0) as file:
                    if told := file.read():
                        children = set(map(int, told.split()))
                        waiting += [(child, depth + 1) for child in children - seen]
                        seen |= children
            yield member, threads, depth


def _members_by_psutil(process: int) -> Iterator[tuple[int, int]]:
    with suppress(psutil.Error):
        first = psutil.Process(process)
        for each in (first, *first.children(recursive=True)):
            with suppress(psutil.Error):
                yield each.pid, each.num_threads()


def _resident(process: int) -> int:
    if sys.platform == "linux":
        with suppress(OSError, IndexError), Path(f"{PROC}/{process}/statm").open("rb", 0) as file:
            return int(file.read().split()[1]) * _PAGE
        return 0
    with suppress(psutil.Error):
        return int(psutil.Process(process).memory_info().rss)
    return 0


def _cpu(process: int) -> float:
    if sys.platform == "linux":
        with suppress(OSError, IndexError, ValueError):
            # The name before it may hold blanks and brackets; user and system time are the 14th and 15th.
            fields = (PROC / str(process) / "stat").read_bytes().rpartition(b")")[2].split()
            return (int(fields[11]) + int(fields[12])) / _TICKS
        return 0.0
    with suppress(psutil.Error):
        times = psutil.Process(process).cpu_times()
        return float(times.user + times.system)
    return 0.0


_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
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
