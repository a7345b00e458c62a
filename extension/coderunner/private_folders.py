"""Folders and files of ours: what conversations leave behind is nobody else's on this machine."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

PRIVATE = 0o700


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for their owner alone.

    A folder that is there keeps its rights: somebody has chosen them. Raises OSError.
    """
    # `mkdir(mode=…, parents=True)` gives the mode to the last one only.
    missing = [each for each in (folder, *folder.parents) if not os.path.exists(each)]
    for each in reversed(missing):
        each.mkdir(mode=PRIVATE, exist_ok=True)
    folder.mkdir(mode=PRIVATE, exist_ok=True)  # raises where something else has the name


def write_private(path: Path, text: str) -> None:
    """Write a file for its owner alone, whole or not at all, in a folder that is made. Raises OSError."""
    make_private(path.parent)
    # mkstemp makes it 0600; a rename within a folder is atomic.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
