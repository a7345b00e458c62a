"""What of the system is for root alone: in a sandbox, a kernel of root's is its owner."""

import os
import stat
from collections.abc import Iterator

PLACES = (("/etc", 2), ("/sys/kernel", 1))
"""The folders of the system where such things lie, and how deep."""


def secrets_of_root() -> list[tuple[str, bool]]:
    """Paths that others may not read, without links, and whether each is a folder. Looks at the disk."""
    return [each for folder, depth in PLACES for each in _within(folder, depth)]


def _within(folder: str, depth: int) -> Iterator[tuple[str, bool]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        try:
            mode = entry.stat(follow_symlinks=False).st_mode
        except OSError:
            continue  # it is there no more
        if stat.S_ISLNK(mode):
            continue
        if not mode & stat.S_IROTH:
            yield entry.path, stat.S_ISDIR(mode)
        elif stat.S_ISDIR(mode) and depth > 1:
            yield from _within(entry.path, depth - 1)
