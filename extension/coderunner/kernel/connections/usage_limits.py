"""Watches that a kernel on this machine, with all that it started, uses no more than it may."""

import asyncio
import time
from dataclasses import dataclass

from coderunner.kernel.connections.process_usage import Usage, own_memory, usage
from coderunner.outputs import Error, Result, Status
from coderunner.sandbox.policy import Limits

EVERY = 0.25
"""Seconds between two looks: in the meantime, a program takes a gigabyte at most."""
SHARE = 20
"""Looks take a twentieth of the time at most: whoever has many gigabytes is looked at more seldom."""

MEMORY = "it used more than {most:g} GB of memory, the limit set by max_memory"
LIMITED = "its memory is limited to {most:g} GB by the setting max_memory"
PROCESSES = "it started more than {most} processes and threads"


@dataclass(frozen=True, slots=True)
class Excess:
    """What a kernel used too much of."""

    processes: tuple[int, ...]
    """All that are to end."""
    said: str
    """A clause about the program."""


async def excess(process: int, limits: Limits) -> Excess:
    """Return as soon as a process, with all that it started, uses more than `limits` allow."""
    pause = EVERY
    while True:
        await asyncio.sleep(pause)
        began = time.monotonic()
        found = usage(process, most_threads=limits.processes)
        if 0 < limits.processes < found.threads:
            return Excess(found.processes, PROCESSES.format(most=limits.processes))
        if 0 < limits.memory < found.memory and await asyncio.to_thread(_takes_more, found, limits.memory):
            return Excess(found.processes, MEMORY.format(most=limits.memory / 1e9))
        pause = max(EVERY, (time.monotonic() - began) * SHARE)


def out_of_memory(result: Result, limits: Limits) -> str:
    """A clause about the limit, where a program met it before we saw it use too much; else empty.

    It got an error then, or died of one that it did not expect.
    """
    met = result.status is Status.DIED or any(
        isinstance(each, Error) and "MemoryError" in each.ename for each in result.outputs
    )
    return LIMITED.format(most=limits.memory / 1e9) if met and limits.memory else ""


def _takes_more(found: Usage, most: int) -> bool:
    return own_memory(found.processes) > most
