"""The folder of a kernel that waits for a conversation, where a sandbox cannot show it another one later.

It becomes the conversation's: a rule about a folder holds under whatever name.
"""

import os
import uuid
from contextlib import suppress
from pathlib import Path

from coderunner.private_folders import make_private

PREFIX = ".waiting-"


def make(root: Path) -> Path:
    """Make one beside the folders of the conversations; those of processes that crashed go. Or OSError."""
    for left in root.glob(f"{PREFIX}*"):
        owner = left.name.removeprefix(PREFIX).partition("-")[0]
        if not (owner.isdecimal() and _runs(int(owner))):
            remove(left)
    folder = root / f"{PREFIX}{os.getpid()}-{uuid.uuid4().hex[:12]}"
    make_private(folder)
    return folder


def become(waiting: Path, folder: Path) -> bool:
    """Give it to a conversation; False where that has files already, or a folder on another file system."""
    make_private(folder.parent)
    try:
        waiting.rename(folder)
    except OSError:
        return False
    return True


def remove(waiting: Path) -> None:
    """Remove one that nobody took."""
    with suppress(OSError):
        waiting.rmdir()


def _runs(process: int) -> bool:
    with suppress(PermissionError):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
    return True
