"""Watches how much disk a kernel takes in folders of its own, a bounded piece at a time."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from coderunner.files.folder_listing import sizes
from coderunner.kernel.connections.watch_pace import WatchPace

EVERY = 1.0
"""Seconds between two looks: a program writes some gigabytes at most in the meantime."""
MOST = 1_000
"""Entries that are looked at each time, which takes milliseconds; the next look goes on from there."""
SHARE = 50
"""Looks take a fiftieth of the time at most, also on a slow disk."""
SLACK = 20
"""What was too much before may grow by a twentieth of the limit: programs write a little to delete a lot."""


class DiskUse:
    """How many bytes of disk the files in some folders take. Used by one thread at a time."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._round: Iterator[int] | None = None
        self._so_far = 0

    def look(self) -> tuple[int, bool]:
        """Look at a bounded number of entries: the bytes of this round so far, and whether it is complete."""
        if self._round is None:
            self._round, self._so_far = sizes([str(each) for each in self._folders]), 0
        seen = list(islice(self._round, MOST))
        self._so_far += sum(seen)
        complete = len(seen) < MOST
        if complete:
            self._round = None
        return self._so_far, complete


async def disk_excess(folders: Callable[[], Sequence[Path]], most: int, pace: WatchPace) -> None:
    """Return as soon as the files in some folders take more than `most` bytes of disk.

    Where they did so at the first round, they may grow a little: what is too much can be deleted.
    """
    watched: Sequence[Path] | None = None
    same, before = 0, -1
    while True:
        began = time.monotonic()
        if (now := folders()) != watched:
            watched, use, allowed, known = now, DiskUse(now), most, False
        used, complete = await asyncio.to_thread(use.look)
        if known and used > allowed:
            return
        if not known:
            allowed, known = max(allowed, used + most // SLACK if used > most else 0), complete
        same, before = (same + 1 if complete and used == before else 0), used
        await pace.wait(max(EVERY, (time.monotonic() - began) * SHARE), same)
