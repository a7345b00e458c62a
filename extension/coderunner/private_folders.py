"""Folders of ours: what conversations leave behind is nobody else's on this machine."""

import os
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
