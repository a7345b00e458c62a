"""Files of a conversation's folder on this machine, opened so that their names lead nowhere else.

Names come from models, programs and addresses, and the folder is written by code while it is read.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from coderunner.errors import CodeRunnerError

DEEPEST = 64
"""Folders in a path."""
PIECE = 256 * 1024
"""Bytes that are read at once."""
NOT_THERE = "{name} is not in this chat's folder."
A_LINK = "{name} is a link; only files that are in this chat's folder themselves can be opened."
NO_FILE = "{name} is not a file, so it cannot be opened."
NOT_READ = "{name} cannot be read: {why}."
_MISSING = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
_OTHER = (errno.ENXIO, errno.EISDIR)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_FOLDER = os.O_RDONLY | _NOFOLLOW | getattr(os, "O_DIRECTORY", 0)


class NoSuchFile(CodeRunnerError):
    """A file that cannot be given, with the sentence that says why."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file that is open for reading."""

    name: str
    """Without its folders."""
    handle: int
    size: int
    """Bytes, when it was opened."""
    changed: int
    """When its content was changed, in nanoseconds since 1970."""

    def pieces(self, start: int, end: int) -> Iterator[bytes]:
        """Read the bytes from `start` until before `end`; fewer, if the file has become shorter."""
        with os.fdopen(os.dup(self.handle), "rb", buffering=0) as file:
            file.seek(start)
            while start < end and (piece := file.read(min(PIECE, end - start))):
                start += len(piece)
                yield piece

    def close(self) -> None:
        """Close it."""
        os.close(self.handle)


@contextmanager
def _closed_if_it_fails(handle: int) -> Iterator[None]:
    try:
        yield
    except BaseException:
        os.close(handle)
        raise


def open_file(folder: Path, path: str) -> OpenFile:
    """Open a file of a folder by its path, which may be absolute; raises NoSuchFile.

    No link is followed on the way, and nothing but a plain file is opened: a named pipe would hold whoever
    reads it, and a device acts.
    """
    below = _below(folder, path)
    shown = str(PurePosixPath(*below)) if below else path[:200]
    if not below or len(below) > DEEPEST:
        raise NoSuchFile(NOT_THERE.format(name=shown))
    try:
        handle = _opened(folder, below)
    except OSError as error:
        raise NoSuchFile(_sentence(folder, below, error).format(name=shown, why=error.strerror)) from None
    with _closed_if_it_fails(handle):
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise NoSuchFile(NO_FILE.format(name=shown))
        return OpenFile(below[-1], handle, about.st_size, about.st_mtime_ns)


def _below(folder: Path, path: str) -> tuple[str, ...]:
    """The parts of a path in a folder; nothing where it is elsewhere."""
    named = PurePosixPath(path.replace("\\", "/") if os.name == "nt" else path)
    if named.is_absolute():
        for around in dict.fromkeys((folder.absolute(), Path(os.path.realpath(folder)))):
            if named.is_relative_to(around.as_posix()):
                named = named.relative_to(around.as_posix())
                break
        else:
            return ()
    if ".." in named.parts or any("\0" in part or (os.name == "nt" and ":" in part) for part in named.parts):
        return ()
    return named.parts


def _opened(folder: Path, parts: tuple[str, ...]) -> int:
    if os.open not in os.supports_dir_fd:
        found = folder.joinpath(*parts)
        if Path(os.path.realpath(found)) != Path(os.path.realpath(folder)).joinpath(*parts):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return os.open(found, os.O_RDONLY | _NOFOLLOW)
    handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    for flags, part in zip((*[_FOLDER] * (len(parts) - 1), os.O_RDONLY | _NOFOLLOW), parts, strict=True):
        try:
            found_in = os.open(part, flags, dir_fd=handle)
        finally:
            os.close(handle)
        handle = found_in
    return handle


def _sentence(folder: Path, parts: tuple[str, ...], error: OSError) -> str:
    """Why a file was not opened."""
    ways = (os.fspath(folder.joinpath(*parts[:count])) for count in range(1, len(parts) + 1))
    if any(map(os.path.islink, ways)):  # which never raises
        return A_LINK
    return NOT_THERE if error.errno in _MISSING else NO_FILE if error.errno in _OTHER else NOT_READ
