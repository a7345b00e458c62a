"""What Linux tells of files that are written in a folder, so that nobody has to look at all of them.

Elsewhere, and where Linux has no more room for it, there is none, and folders are read.
"""

import ctypes
import errno
import os
import struct
import sys
from contextlib import suppress

from coderunner.files.changes.comparison import hidden

if sys.platform == "linux":
    from fcntl import ioctl
    from termios import FIONREAD

MOST_FOLDERS = 1_000
"""Each takes about a kilobyte of the kernel's memory, and a user has some ten thousand for all programs."""
MOST_NAMES = 1_000
"""With more, the folder is read anew."""
_PIECE = 256 * 1024

# inotify(7)
_MODIFY, _ATTRIB, _CLOSE_WRITE = 0x2, 0x4, 0x8
_MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x40, 0x80, 0x100, 0x200
_OF_FILES = _MODIFY | _ATTRIB | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
_OF_FOLDERS = _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
_UNMOUNT, _OVERFLOW, _IGNORED = 0x2000, 0x4000, 0x8000
_IS_FOLDER = 0x40000000
_ONLY_FOLDERS = 0x1000000
_HEAD = struct.Struct("iIII")


class FolderEvents:
    """The events of some folders since they were last taken. For one thread at a time."""

    def __init__(self) -> None:
        """Raises OSError where there are none to be had."""
        if sys.platform != "linux":
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._handle = _checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._names: dict[int, str] = {}

    def watch(self, folder: int, name: str) -> None:
        """Hear of the files of an open folder from now on; `name` is its path as events give it.

        Raises OSError.
        """
        if len(self._names) >= MOST_FOLDERS:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        # By what is open, and not by its name, which may be another's by now.
        place, mask = ctypes.c_char_p(f"/proc/self/fd/{folder}".encode()), _OF_FILES | _ONLY_FOLDERS
        self._names[_checked(self._libc.inotify_add_watch(self._handle, place, mask))] = name

    @property
    def watched(self) -> int:
        """How many folders it hears of."""
        return len(self._names)

    @property
    def pending(self) -> bool:
        """Whether there are any; takes a microsecond."""
        size = bytearray(4)
        if sys.platform == "linux":
            ioctl(self._handle, FIONREAD, size)
        return any(size)

    def take(self) -> frozenset[str] | None:
        """The paths of the files that were written, made, moved or deleted; None where more has happened."""
        found: set[str] | None = set()
        while piece := self._read():
            at = 0
            while at < len(piece):
                folder, what, _, length = _HEAD.unpack_from(piece, at)
                at += _HEAD.size
                name = os.fsdecode(piece[at : at + length].rstrip(b"\0"))
                at += length
                if found is not None and not self._add(found, folder, what, name):
                    found = None
        return None if found is None else frozenset(found)

    def _add(self, found: set[str], folder: int, what: int, name: str) -> bool:
        """Note a file; False where it is no single file that has changed."""
        if what & (_OVERFLOW | _UNMOUNT | _IGNORED):
            return False
        if hidden(name) or not name:
            return True
        if what & _IS_FOLDER:
            return not what & _OF_FOLDERS
        if folder not in self._names or len(found) >= MOST_NAMES:
            return False
        above = self._names[folder]
        found.add(f"{above}/{name}" if above else name)
        return True

    def _read(self) -> bytes:
        with suppress(BlockingIOError):
            return os.read(self._handle, _PIECE)
        return b""

    def close(self) -> None:
        """Hear of nothing more."""
        os.close(self._handle)


def _checked(returned: int) -> int:
    """Raise one and the same error: why there are no events says nothing of the folder."""
    if returned < 0:
        raise OSError(errno.EMFILE, os.strerror(ctypes.get_errno()))
    return returned
