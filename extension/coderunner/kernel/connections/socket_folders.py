"""Folders for the sockets of local kernels: short paths that only we can enter, and none left for ever.

A process that is killed removes nothing. So each folder holds a file that its process has locked, and one
that starts its first kernel removes those whose lock is free. A lock tells better than a process's number: it
ends with its process, also in another container that shares the temporary folder.
"""

import os
import shutil
import stat
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

LONGEST = 100
"""Bytes that a socket's path may have; Linux allows 107, macOS 103."""
PREFIX = "cr-"
LOCK = "lock"
YOUNG = 60.0
"""Seconds for which a folder is nobody's business: it may not be locked yet."""
MOST = 1000
"""Folders that are looked at: a temporary folder may hold any number."""

_held: dict[Path, int] = {}
_swept = threading.Event()


def make() -> Path:
    """Make a folder for sockets; the first one of a process removes those of dead ones."""
    if not _swept.is_set():
        _swept.set()
        sweep()
    path = Path(tempfile.mkdtemp(prefix=PREFIX))
    if len(str(path / "kernel-ipc-5")) > LONGEST and sys.platform != "win32":
        path.rmdir()
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))
    _hold(path)
    return path


def remove(path: Path) -> None:
    """Remove a folder that `make` gave, with all in it."""
    shutil.rmtree(path, ignore_errors=True)
    if (lock := _held.pop(path, -1)) >= 0:
        os.close(lock)


def sweep(*, young: float = YOUNG) -> list[Path]:
    """Remove the folders of processes that live no more; returns them.

    Only what is ours is touched: a folder of this user that nobody else can enter, no link, with a lock in it
    that is a plain file of this user and free. `young`: seconds after its last change for which it is left.
    """
    removed = []
    for folder in {Path(tempfile.gettempdir()), Path("/tmp")} if sys.platform != "win32" else ():  # noqa: S108
        with suppress(OSError), os.scandir(folder) as entries:
            names = [each.name for each in entries if each.name.startswith(PREFIX)]
            removed += [each for name in names[:MOST] if _left(each := folder / name, young)]
    for each in removed:
        shutil.rmtree(each, ignore_errors=True)
    return removed


def _hold(path: Path) -> None:
    """Lock the folder for as long as this process lives; where that cannot be done it is never swept."""
    if sys.platform == "win32":
        return
    import fcntl

    with suppress(OSError):
        lock = os.open(path / LOCK, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        _held[path] = lock


def _left(path: Path, young: float) -> bool:
    """Whether a folder is ours, and its process lives no more."""
    import fcntl

    try:
        found = path.lstat()
        # Not the whole mode: jupyter_client makes the folder of a kernel's connection file sticky.
        private = stat.S_ISDIR(found.st_mode) and not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        if not private or found.st_uid != os.geteuid() or time.time() - found.st_mtime < young:
            return False
        lock = os.open(path / LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        about = os.fstat(lock)
        if not stat.S_ISREG(about.st_mode) or about.st_uid != os.geteuid():
            return False
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True
