"""The memory of this machine, or of the container that we run in, whichever is less."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]

CGROUPS = Path("/sys/fs/cgroup")
OURS = Path("/proc/self/cgroup")
FILES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""Of both versions: the limit, what is used, and what of that can be given back: a line of `memory.stat`."""


def total() -> int:
    """Return the bytes that there are."""
    limits = (limit for limit, _ in _containers(CGROUPS, OURS))
    return min([int(psutil.virtual_memory().total), *limits])


def available() -> int:
    """Return the bytes that programs can still take, without anything being swapped out."""
    left = (limit - used for limit, used in _containers(CGROUPS, OURS))
    return max(0, min([int(psutil.virtual_memory().available), *left]))


def _containers(groups: Path, ours: Path) -> Iterator[tuple[int, int]]:
    """Yield the limit of each control group that we are in, and what is used of it."""
    if sys.platform != "linux":
        return
    for folder in _folders(groups, ours):
        for most, used, cache in FILES:
            with suppress(OSError, ValueError):  # none, another version's, or "max"
                limit, taken = (int((folder / name).read_text()) for name in (most, used))
                yield limit, taken - _of(folder / "memory.stat", cache)


def _folders(groups: Path, ours: Path) -> Iterator[Path]:
    """In a container, its own group is the root; else it is below, in those that it is part of."""
    named = ""
    with suppress(OSError):
        named = ours.read_text()
    for line in named.splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers not in ("", "memory"):
            continue
        root = groups / controllers
        inner = root / os.path.normpath(path).lstrip("/.")
        yield from (each for each in (inner, *inner.parents) if each == root or root in each.parents)


def _of(stat: Path, name: str) -> int:
    with suppress(OSError, ValueError):
        for line in stat.read_text().splitlines():
            key, _, value = line.partition(" ")
            if key == name:
                return int(value)
    return 0
