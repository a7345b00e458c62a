"""The folder that stands for /dev/shm, for a kernel that sees the machine's own file system."""

from __future__ import annotations

import os

PLACE, PREFIX = "/dev/shm", "coderunner-"  # noqa: S108 - a folder of the user's own in it


def make() -> str:
    """Make one of our own, and remove those whose process was killed; raises OSError."""
    for name in os.listdir(PLACE):
        owner = name.removeprefix(PREFIX).partition("-")[0]
        if name.startswith(PREFIX) and owner.isdecimal() and not os.path.exists(f"/proc/{owner}"):
            remove(f"{PLACE}/{name}")
    path = f"{PLACE}/{PREFIX}{os.getpid()}-{os.urandom(8).hex()}"
    os.mkdir(path, 0o700)
    return path


def remove(path: str) -> None:
    """Remove one with all that is in it; another user's stays."""
    try:
        for name in os.listdir(path):
            os.unlink(f"{path}/{name}")
        os.rmdir(path)
    except OSError:
        pass
