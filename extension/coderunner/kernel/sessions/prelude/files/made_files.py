"""Which files a cell makes or changes in the folder that the kernel was started in: told before its end.

For who cannot look into that folder. It finds out what the cell's program could, and costs the cell little:
where Linux tells of changes (inotify) the folder is read once, elsewhere before and after each cell. One that
is too large to be read at once is left alone.
"""

import ctypes
import os
import struct
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

if TYPE_CHECKING:
    from coderunner.kernel.sessions.prelude.events import replace_callback

MESSAGE = "coderunner_files"
MOST_TOLD = 20
MOST = 10_000
MOST_FOLDERS = 500
PATIENCE = 0.2
"""Seconds for a look."""
PIECE = 256 * 1024
HEAD = struct.Struct("iIII")
# inotify(7): what is made, written, moved or deleted; what happens to folders; and what nobody can tell.
MASK, TO_FOLDERS, UNKNOWN, IS_FOLDER = 0x3CE, 0x3C0, 0xE000, 0x40000000


def hidden(name: str) -> bool:
    """Whether it is nobody's work; a name of any bytes cannot be told."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return True
    return name.startswith(".") or name == "__pycache__"


class Folder:
    """What is in the folder, as far as it is known."""

    def __init__(self, place: str, hears: bool = sys.platform == "linux") -> None:  # noqa: FBT001
        self.place = place
        self.hears = hears
        self.known: dict[str, Any] | None = None
        self.handle = -1
        self.watched: dict[int, str] = {}
        self.too_large = False

    def look(self) -> "dict[str, Any] | None":
        """Its files by their paths, with size and time; None where it is too large."""
        if self.too_large:
            return None
        if self.known is not None and self.handle >= 0:
            names = self.take()
            if names is not None:
                return self.updated(names) if names else self.known
        return self.read()

    def updated(self, names: "set[str]") -> "dict[str, Any]":
        """What is known, with some of the files as they are now."""
        files = dict(self.known or {})
        for name in names:
            files.pop(name, None)
            place = os.path.join(self.place, name)  # noqa: PTH118 - many, and after each cell
            if os.path.isfile(place) and not os.path.islink(place):  # noqa: PTH114
                with suppress(OSError):
                    about = os.lstat(place)
                    files[name] = (about.st_size, about.st_mtime_ns)
        return files

    def read(self) -> "dict[str, Any] | None":
        """Look at all of it, and hear from now on of its changes."""
        self.listen()
        files: dict[str, Any] = {}
        waiting, end, folders = [""], time.monotonic() + PATIENCE, 0
        while waiting:
            above = waiting.pop()
            folders += 1
            if folders > MOST_FOLDERS or len(files) > MOST or time.monotonic() > end:
                self.too_large = True
                self.close()
                return None
            self.watch(above)
            with suppress(OSError), os.scandir(os.path.join(self.place, above)) as entries:  # noqa: PTH118
                for entry in entries:
                    if hidden(entry.name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(above + entry.name + "/")
                    elif entry.is_file(follow_symlinks=False):
                        with suppress(OSError):
                            about = entry.stat(follow_symlinks=False)
                            files[above + entry.name] = (about.st_size, about.st_mtime_ns)
        return files

    def listen(self) -> None:
        """Begin to hear of changes anew, where Linux tells of them."""
        self.close()
        if self.hears:
            with suppress(AttributeError, OSError):
                self.libc = ctypes.CDLL(None)
                flags = os.O_NONBLOCK | os.O_CLOEXEC
                self.handle = self.libc.inotify_init1(flags)

    def watch(self, above: str) -> None:
        """Hear of a folder's files; of none where that cannot be."""
        if self.handle < 0:
            return
        place = os.fsencode(os.path.join(self.place, above))  # noqa: PTH118
        number = self.libc.inotify_add_watch(self.handle, place, MASK)
        if number < 0:
            self.close()
        else:
            self.watched[number] = above

    def take(self) -> "set[str] | None":
        """The files of which something was told; None where more has happened than that."""
        names: set[str] | None = set()
        while True:
            try:
                told = os.read(self.handle, PIECE)
            except BlockingIOError:
                return names
            at = 0
            while at < len(told):
                number, what, _, length = HEAD.unpack_from(told, at)
                at += HEAD.size
                name = os.fsdecode(told[at : at + length].rstrip(b"\0"))
                at += length
                if what & UNKNOWN or (what & IS_FOLDER and what & TO_FOLDERS and not hidden(name)):
                    names = None
                elif names is not None and name and not what & IS_FOLDER and not hidden(name):
                    names.add(self.watched.get(number, "") + name)

    def close(self) -> None:
        """Hear of nothing."""
        if self.handle >= 0:
            os.close(self.handle)
        self.handle, self.watched = -1, {}


def tell_files(shell: Any) -> None:
    """Say at the end of each cell which files are new or have changed since it began."""
    kernel = shell.kernel
    before = getattr(kernel, "coderunner_folder", None)
    if before is not None:
        before.close()
    # The program may be elsewhere by now, if this is not its first time.
    folder = kernel.coderunner_folder = Folder(before.place if before is not None else os.getcwd())  # noqa: PTH109

    def look_before_cell(*_info: Any) -> None:
        with suppress(Exception):
            folder.known = folder.look()

    def look_after_cell(*_result: Any) -> None:
        with suppress(Exception):
            known, folder.known = folder.known, folder.look()
            if known is None or folder.known is None or folder.known is known:
                return
            made = [
                [path, *about, path not in known]
                for path, about in folder.known.items()
                if known.get(path) != about
            ]
            if made:
                made.sort(key=lambda file: (file[0].count("/"), file[2], file[0]))
                told = {"files": made[:MOST_TOLD], "more": max(len(made) - MOST_TOLD, 0)}
                kernel.send_response(kernel.iopub_socket, MESSAGE, told)

    replace_callback(shell, "pre_run_cell", look_before_cell)
    replace_callback(shell, "post_run_cell", look_after_cell)


shell = get_ipython()
if shell is not None and hasattr(shell, "kernel"):
    tell_files(shell)
