"""Watches how much disk a kernel takes in folders of its own, a bounded piece at a time."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

EVERY = 1.0
"""Seconds between two looks: a program writes some gigabytes at most in the meantime."""
MOST = 1_000
"""Entries that are looked at each time, which takes milliseconds; the next look goes on from there."""
SHARE = 50
"""Looks take a fiftieth of the time at most, also on a slow disk."""
BLOCK = 512
"""Bytes of what a file's `st_blocks` counts."""
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
            self._round, self._so_far = _sizes(self._folders), 0
        seen = list(islice(self._round, MOST))
        self._so_far += sum(seen)
        complete = len(seen) < MOST
        if complete:
            self._round = None
        return self._so_far, complete


async def disk_excess(folders: Callable[[], Sequence[Path]], most: int) -> None:
    """Return as soon as the files in some folders take more than `most` bytes of disk.

    Where they did so at the first round, they may grow a little: what is too much can be deleted.
    """
    watched: Sequence[Path] | None = None
    while True:
        began = time.monotonic()
        if (now := folders()) != watched:
            watched, use, allowed, known = now, DiskUse(now), most, False
        used, complete = await asyncio.to_thread(use.look)
        if known and used > allowed:
            return
        if not known:
            allowed, known = max(allowed, used + most // SLACK if used > most else 0), complete
        await asyncio.sleep(max(EVERY, (time.monotonic() - began) * SHARE))


def _sizes(folders: Sequence[Path]) -> Iterator[int]:
    """The bytes of each entry; a folder counts as none, and what cannot be looked at is left out."""
    waiting = [str(each) for each in folders]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                size = 0
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        its = entry.stat(follow_symlinks=False)
                        # Windows does not count blocks. A file with several names counts once.
                        size = getattr(its, "st_blocks", its.st_size // BLOCK) * BLOCK // max(1, its.st_nlink)
                yield size
