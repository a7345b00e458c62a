"""What lies in a folder of this machine, in one pass: after each cell it is looked at whole."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from coderunner.files.chat_folder import MOST, File, FileError, Listing
from coderunner.files.file_names import UNLISTED
from coderunner.files.file_words import NOT_LISTED

DEEPEST = 16
"""Folders within one another that are looked into."""
PATIENCE = 2.0
"""Seconds for a look: ten thousand files take hundredths of one, unless the disk is far away."""
LEFT_OUT = frozenset({UNLISTED})
"""Folders that programs make for themselves, beside hidden ones."""
BLOCK = 512
"""Bytes of what a file's `st_blocks` counts."""
_FOLDER = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_DIRECTORY", 0)


def list_files(folder: Path, most: int = MOST) -> Listing:
    """The plain files in a folder and those within it, by their paths; no link is followed.

    Hidden files and folders are left out. Bounded in number, depth and time; raises FileError. No folder: no
    files.
    """
    look = _Look(most)
    try:
        look.into(os.fspath(folder))
    except FileNotFoundError:
        return Listing()
    except OSError as error:
        raise FileError(NOT_LISTED.format(why=error.strerror)) from error
    look.files.sort()
    return Listing(tuple(look.files), look.more, look.unnamed)


def sizes(folders: list[str]) -> Iterator[int]:
    """The bytes of disk of each entry in folders, hidden ones too; a folder counts as none.

    What cannot be looked at is left out.
    """
    waiting = list(folders)
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


class _Look:
    """One look at a folder."""

    def __init__(self, most: int) -> None:
        self.files: list[File] = []
        self.more = self.unnamed = 0
        self._most = most
        self._end = time.monotonic() + PATIENCE

    def into(self, folder: str) -> None:
        """Look into a folder by its path; raises OSError."""
        if os.scandir not in os.supports_fd or os.open not in os.supports_dir_fd:
            self._into(folder, None, "", 0)
            return
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._into(handle, handle, "", 0)
        finally:
            os.close(handle)

    def _into(self, folder: str | int, handle: int | None, prefix: str, depth: int) -> None:
        """`handle`: the folder's, where the system has such; what is in it is opened from there.

        A folder that becomes a link meanwhile leads nowhere then.
        """
        found, files, most = [], self.files, self._most
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name[0] == ".":
                    continue
                if not name.isascii() and not _readable(name):
                    # A folder of such a name counts as one, whatever is in it.
                    self.unnamed += 1
                elif entry.is_file(follow_symlinks=False):
                    if len(files) >= most:
                        self.more += 1
                        if time.monotonic() > self._end:
                            return
                        continue
                    try:
                        its = entry.stat(follow_symlinks=False)
                    except OSError:
                        continue  # it is gone already
                    files.append(File(prefix + name, its.st_size, its.st_mtime_ns))
                elif entry.is_dir(follow_symlinks=False) and name not in LEFT_OUT:
                    found.append(name)
        for name in found:
            if depth == DEEPEST or time.monotonic() > self._end:
                self.more += 1
            else:
                with suppress(OSError):  # nobody may look into it, or it is gone
                    self._below(folder, handle, name, f"{prefix}{name}/", depth + 1)

    def _below(self, folder: str | int, handle: int | None, name: str, prefix: str, depth: int) -> None:
        if handle is None:
            self._into(f"{folder}{os.sep}{name}", None, prefix, depth)
            return
        inner = os.open(name, _FOLDER, dir_fd=handle)
        try:
            self._into(inner, inner, prefix, depth)
        finally:
            os.close(inner)


def _readable(name: str) -> bool:
    """Whether a name is text: one of any bytes cannot be written in an address."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
