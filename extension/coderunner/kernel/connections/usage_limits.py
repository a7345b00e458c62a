"""Watches that a kernel on this machine, with all that it started, uses no more than it may."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coderunner.kernel.connections.disk_use import disk_excess
from coderunner.kernel.connections.process_usage import Usage, own_memory, usage
from coderunner.kernel.connections.watch_pace import WatchPace
from coderunner.outputs import Error, Result, Status, Stream
from coderunner.sandbox.policy import NO_LIMITS, Limits
from coderunner.text.terminal_text import plain

EVERY = 0.25
"""Seconds between two looks at a kernel that works: in the meantime, a program takes a gigabyte at most."""
SHARE = 20
"""Looks take a twentieth of the time at most: whoever has many gigabytes is looked at more seldom."""

ALL = 10
"""Looks at all kernels that work take a tenth of the time at most."""

MEMORY = "it used more than {most:g} GB of memory, the limit set by max_memory"
DISK = "its files took more than {most:g} GB of disk, the limit set by max_disk"
LIMITED = "its memory is limited to {most:g} GB by the setting max_memory"
FEWER = "it may have at most {most} processes and threads at a time"
SMALLER = "a file that it writes may have at most {most:g} GB"
PROCESSES = "it started more than {most} processes and threads"


@dataclass(frozen=True, slots=True)
class Excess:
    """What a kernel used too much of."""

    processes: tuple[int, ...]
    """All that are to end."""
    said: str
    """A clause about the program."""


async def excess(process: int, limits: Limits, pace: WatchPace, *, above: int = 0) -> Excess:
    """Return as soon as a process, with all that it started, uses more than `limits` allow.

    The memory of the first `above` generations does not count.
    """
    pause, same, before = EVERY, 0, None
    while True:
        await pace.wait(pause, same)
        began = time.monotonic()
        found = usage(process, most_threads=limits.processes, above=above)
        if 0 < limits.processes < found.threads:
            return Excess(found.processes, PROCESSES.format(most=limits.processes))
        if 0 < limits.memory < found.memory and await asyncio.to_thread(_takes_more, found, limits.memory):
            return Excess(found.processes, MEMORY.format(most=limits.memory / 1e9))
        pause = max(EVERY, (time.monotonic() - began) * max(SHARE, ALL * pace.together))
        same, before = (same + 1 if found == before else 0), found


async def over_disk(
    process: int, most: int, folders: Callable[[], Sequence[Path]], pace: WatchPace
) -> Excess:
    """Return as soon as the files in some folders take more than `most` bytes of disk."""
    await disk_excess(folders, most, pace)
    return Excess(usage(process).processes, DISK.format(most=most / 1e9))


def met(result: Result, limits: Limits) -> str:
    """A clause about the limit that a program met before we saw it use too much; else empty.

    It got an error then, or died of one that it did not expect.
    """
    if limits == NO_LIMITS:
        return ""
    errors = list(_errors(result))
    if limits.memory and (result.status is Status.DIED or any(map(_NO_MEMORY.search, errors))):
        return LIMITED.format(most=limits.memory / 1e9)
    if limits.processes and any(map(_NOT_STARTED.search, errors)):
        return FEWER.format(most=limits.processes)
    if limits.file and any(map(_TOO_LARGE.search, errors)):
        return SMALLER.format(most=limits.file / 1e9)
    return ""


_NO_MEMORY = re.compile(r"\w*MemoryError: ")
_NOT_STARTED = re.compile(
    r"can't start new thread|fork: (?:retry: )?Resource temporarily"
    r"|(?s:(?:fork|spawn).{0,400}?\[Errno 11\] Resource)"
)
"""What is said of a process or thread that is one too many; of a connection without data, part of it."""
_TOO_LARGE = re.compile(r"\[Errno 27\] File too large|: File too large|File size limit exceeded")
LONGEST = 20_000
"""Characters of an error that are read, the last ones."""
LATEST = 40
"""Outputs that are read: what ended the cell is among the last."""


def _errors(result: Result) -> Iterator[str]:
    for output in result.outputs[-LATEST:]:
        match output:
            case Error(ename, evalue, traceback):
                frames = plain("\n".join(traceback)[-LONGEST:])
                yield f"{frames}\n{ename}: {evalue[:LONGEST]}"
            case Stream("stderr" | "stdout", text):
                yield text[-LONGEST:]


def _takes_more(found: Usage, most: int) -> bool:
    return own_memory(found.measured) > most
