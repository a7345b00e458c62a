"""Files of a conversation's folder on this machine, reached so that their names lead nowhere else.

Names come from models, programs and addresses, and the folder is written by code while it is read.
"""

import asyncio
import errno
import os
import stat
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from coderunner.files.chat_folder import FileError, NoSuchFile
from coderunner.files.file_words import NOT_READ, NOT_THERE

DEEPEST = 64
"""Folders in a path."""
PIECE = 1024 * 1024
"""Bytes that are read and given at once: more have left the processor's cache when they are sent, which then
takes half as long again."""
A_LINK = "{name} is a link; only files that are in this chat's folder themselves can be opened."
NO_FILE = "{name} is not a file, so it cannot be opened."
_MISSING = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
_OTHER = (errno.ENXIO, errno.EISDIR)
_AT_ONCE: int | None = getattr(os, "RWF_NOWAIT", None)
"""A read fails that would wait for a disk."""
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_FOLDER = os.O_RDONLY | _NOFOLLOW | getattr(os, "O_DIRECTORY", 0)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder in which something is done, held open where the system has such: it stays the one it is."""

    handle: int | None
    path: Path

    def at(self, name: str) -> str:
        """How a call is to name a file in it, beside `dir_fd=place.handle`."""
        return name if self.handle is not None else str(self.path / name)


class OpenFile:
    """A file that is open for reading."""

    def __init__(self, name: str, handle: int) -> None:
        """`handle`: it is closed with this."""
        about = os.fstat(handle)
        self.name, self.size, self.changed = name, about.st_size, about.st_mtime_ns
        self._file = os.fdopen(handle, "rb", buffering=0)
        # A read that nobody waits for any more may still be under way in its thread.
        self._lock = threading.Lock()

    def read(self, start: int, most: int) -> bytes:
        """Read at most so many bytes from there; raises FileError."""
        with self._lock:
            try:
                self._file.seek(start)
                return self._file.read(most)
            except (OSError, ValueError) as error:
                why = error.strerror if isinstance(error, OSError) else "it is closed"
                raise FileError(NOT_READ.format(name=self.name, why=why)) from error

    async def pieces(self, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """Read the bytes from `start` until before `end`; fewer, if the file has become shorter.

        What the disk has to give is read by a thread, the next piece while this one is used.
        """
        reading = self._begin(start, end)
        try:
            while start < end:
                piece = await reading if reading is not None else self.read(start, min(PIECE, end - start))
                if not piece:
                    break
                start += len(piece)
                reading = self._begin(start, end)
                yield piece
        finally:
            if reading is not None:
                reading.cancel()
                # What nobody waits for any more may have failed: that is nobody's concern.
                reading.add_done_callback(lambda ended: ended.cancelled() or ended.exception())

    async def send_to(self, transport: asyncio.Transport, start: int, most: int) -> int:
        """Send at most so many bytes from there as they lie in memory; gives how many were sent.

        None where the file has become shorter, and where the system or the transport cannot do it. Raises
        ConnectionError where the client has left, FileError where the file cannot be read.
        """
        if _AT_ONCE is None or transport.is_closing():
            return 0
        if not self._in_memory(start + most - 1):
            await asyncio.to_thread(self.read, start, most)
        try:
            return await asyncio.get_running_loop().sendfile(
                transport, self._file, start, most, fallback=False
            )
        except (NotImplementedError, RuntimeError):  # uvloop; TLS
            return 0

    def _begin(self, start: int, end: int) -> "asyncio.Task[bytes] | None":
        """Begin to read; None where a thread's turn would take longer, or nothing is left."""
        most = min(PIECE, end - start)
        if most <= 0 or self._in_memory(start + most - 1):
            return None
        return asyncio.create_task(asyncio.to_thread(self.read, start, most))

    def _in_memory(self, last: int) -> bool:
        """Whether Linux has the last byte of a piece in memory, and so all of it: files are read ahead."""
        if _AT_ONCE is None:
            return False
        try:
            return os.preadv(self._file.fileno(), [bytearray(1)], last, _AT_ONCE) == 1
        except (OSError, ValueError):  # it is not there; the file system cannot tell; it is closed
            return False

    async def close(self) -> None:
        """Close it."""
        self.close_now()

    def close_now(self) -> None:
        """Close it, from any thread."""
        with self._lock:
            self._file.close()


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
    parts = below(folder, path)
    shown = str(PurePosixPath(*parts)) if parts else path[:200]
    try:
        with place(folder, parts[:-1]) as where:
            handle = os.open(where.at(parts[-1]), os.O_RDONLY | _NOFOLLOW, dir_fd=where.handle)
    except OSError as error:
        raise NoSuchFile(_sentence(folder, parts, error).format(name=shown, why=error.strerror)) from None
    with _closed_if_it_fails(handle):
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise NoSuchFile(NO_FILE.format(name=shown))
        return OpenFile(parts[-1], handle)


def below(folder: Path, path: str) -> tuple[str, ...]:
    """The parts of the path of a file in a folder; raises NoSuchFile where it is elsewhere."""
    parts = _below(folder, path)
    if not parts or len(parts) > DEEPEST:
        raise NoSuchFile(NOT_THERE.format(name=str(PurePosixPath(*parts)) if parts else path[:200]))
    return parts


def _below(folder: Path, path: str) -> tuple[str, ...]:
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


@contextmanager
def place(folder: Path, parts: tuple[str, ...], *, make: bool = False) -> Iterator[Place]:
    """Open a folder within a folder, following no link; `make`: with those that are missing.

    Raises OSError.
    """
    path = folder.joinpath(*parts)
    if os.open not in os.supports_dir_fd:
        if make:
            path.mkdir(parents=True, exist_ok=True)
        if Path(os.path.realpath(path)) != Path(os.path.realpath(folder)).joinpath(*parts):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        yield Place(None, path)
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts:
            inner = _inner(part, handle, make=make)
            os.close(handle)
            handle = inner
        yield Place(handle, path)
    finally:
        os.close(handle)


def _inner(name: str, handle: int, *, make: bool) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=handle)
    except FileNotFoundError:
        if not make:
            raise
    with suppress(FileExistsError):  # somebody else was quicker
        os.mkdir(name, 0o700, dir_fd=handle)
    return os.open(name, _FOLDER, dir_fd=handle)


def _sentence(folder: Path, parts: tuple[str, ...], error: OSError) -> str:
    """Why a file was not opened."""
    ways = (os.fspath(folder.joinpath(*parts[:count])) for count in range(1, len(parts) + 1))
    if any(map(os.path.islink, ways)):  # which never raises
        return A_LINK
    return NOT_THERE if error.errno in _MISSING else NO_FILE if error.errno in _OTHER else NOT_READ
