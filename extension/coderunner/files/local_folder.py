"""A chat's folder on this machine."""

import asyncio
import errno
import os
import shutil
import stat
import threading
import uuid
from collections.abc import AsyncIterable, Callable
from contextlib import suppress
from itertools import islice
from pathlib import Path

from coderunner.files import local_files
from coderunner.files.chat_folder import File, FileError, Listing, NoRoom, NoSuchFile, NotAName, Room
from coderunner.files.file_names import chosen_name, file_name, numbered
from coderunner.files.file_words import (
    DISK_FULL,
    IS_TAKEN,
    NO_FOLDER,
    NOT_DELETED,
    NOT_RENAMED,
    NOT_THERE,
    NOT_WRITTEN,
    TOO_LARGE,
    TOO_MANY,
    no_room,
)
from coderunner.files.folder_listing import list_files, sizes
from coderunner.files.local_files import OpenFile, Place, place
from coderunner.files.receiving import Pourable, batches, one_behind
from coderunner.private_folders import make_private

BATCH = 2 * 1024 * 1024
"""Bytes that are written at once: for fewer, a thread's turn costs more than the writing; more have left the
processor's cache when they are written."""
PREFIX = ".coderunner-upload-"
"""Begins the name of a file that is not whole yet, where a file cannot be without one."""
RESERVE = 64 * 1024 * 1024
"""Bytes of the disk that no file of a chat takes: a full disk stops everything else."""
MOST_COUNTED = 200_000
"""Entries that are counted for how full the folder is."""
HERE = "The files of this chat are in {folder} on the computer that CodeRunner runs on."
_FULL = {errno.ENOSPC: DISK_FULL, errno.EDQUOT: DISK_FULL, errno.EFBIG: TOO_LARGE}
_NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_OPEN_FILES = "/proc/self/fd"
"""Where a file without a name is reached, to be given one."""
_UNNAMED = getattr(os, "O_TMPFILE", 0) if os.path.exists(_OPEN_FILES) else 0


class LocalFolder:
    """A folder that a kernel of this machine works in. May be used from any loop."""

    def __init__(self, folder: Path, *, quota: int = 0) -> None:
        """`quota`: bytes of disk that all that is in it may take; 0: as many as the disk has."""
        self._folder = folder
        self._quota = quota
        self.where = HERE.format(folder=folder)

    async def list(self) -> Listing:
        """List its files."""
        return await asyncio.to_thread(list_files, self._folder)

    def address(self, path: str) -> str:
        """Its whole path on this machine."""
        return os.path.join(os.path.realpath(self._folder), *path.split("/"))  # noqa: PTH118 - as it is typed

    async def room(self, listing: Listing) -> Room:
        """How much it takes, and how much more it may."""
        used = sum(file.size for file in listing.files)
        return Room(used, await asyncio.to_thread(self._left))

    def _left(self) -> int | None:
        left = self._free()
        if self._quota:
            taken = sum(islice(sizes([os.fspath(self._folder)]), MOST_COUNTED))
            left = max(0, min(self._quota - taken, self._quota if left is None else left))
        return left

    def _free(self) -> int | None:
        """Bytes that the disk has left for us."""
        for folder in (self._folder, *self._folder.parents):
            try:
                return max(0, shutil.disk_usage(folder).free - RESERVE)
            except FileNotFoundError:
                continue
            except OSError:
                return None
        return None

    async def open(self, path: str) -> OpenFile:
        """Open a file by its path in the folder, which may be its whole one."""
        return await asyncio.to_thread(local_files.open_file, self._folder, path)

    async def write(self, path: str, pieces: AsyncIterable[bytes], size: int | None = None) -> File:
        """Write a new file, whole or not at all, and give the path that it got."""
        name = file_name(path)
        left = await asyncio.to_thread(self._left)
        self._require(name, size or 0, left)
        upload = await asyncio.to_thread(_Upload, self._folder, name)
        written = 0

        async def add(batch: list[bytes]) -> None:
            nonlocal written
            written += sum(map(len, batch))
            self._require(name, written, left)
            await asyncio.to_thread(upload.add, batch)

        try:
            if isinstance(pieces, Pourable):  # which gives no more than `size` bytes
                await pieces.pour(upload)
            await one_behind(batches(pieces, BATCH), add)
            return await asyncio.to_thread(upload.keep)
        finally:
            # In a thread, since it waits for one that still writes.
            await asyncio.shield(asyncio.to_thread(upload.end))

    def _require(self, name: str, size: int, left: int | None) -> None:
        """Raise NoRoom where there is none for so many bytes."""
        if left is None or size <= left:
            return
        free = self._free()
        if free is not None and size > free:
            raise NoRoom(DISK_FULL.format(name=name))
        raise NoRoom(no_room(name, size, left=left, quota=self._quota))

    async def rename(self, old: str, new: str) -> File:
        """Give a file another name, which no other has."""
        return await asyncio.to_thread(self._rename, old, chosen_name(new))

    def _rename(self, old: str, new: str) -> File:
        parts, into = local_files.below(self._folder, old), tuple(new.split("/"))
        local_files.open_file(self._folder, old).close_now()  # says what is no file, or a link
        try:
            with (
                place(self._folder, parts[:-1]) as here,
                place(self._folder, into[:-1], make=True) as there,
            ):
                _move(here, parts[-1], there, into[-1])
                return _file(there, into)
        except FileExistsError:
            raise NotAName(IS_TAKEN.format(name=new)) from None
        except NotADirectoryError:
            raise NotAName(NO_FOLDER.format(name=new)) from None
        except OSError as error:
            raise FileError(NOT_RENAMED.format(name="/".join(parts), why=error.strerror)) from error

    async def delete(self, path: str) -> None:
        """Delete a file."""
        await asyncio.to_thread(self._delete, path)

    def _delete(self, path: str) -> None:
        parts = local_files.below(self._folder, path)
        local_files.open_file(self._folder, path).close_now()
        try:
            with place(self._folder, parts[:-1]) as here:
                os.unlink(here.at(parts[-1]), dir_fd=here.handle)
        except FileNotFoundError:
            raise NoSuchFile(NOT_THERE.format(name="/".join(parts))) from None
        except OSError as error:
            raise FileError(NOT_DELETED.format(name="/".join(parts), why=error.strerror)) from error


class _Upload:
    """A file that is being written, without a name until it is whole. Used by one thread at a time."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._lock = threading.Lock()
        self._temporary = ""
        try:
            make_private(folder)
            self._handle = self._begin()
        except OSError as error:
            raise self._failed(error) from error

    def _begin(self) -> int:
        with place(self._folder, ()) as here:
            if _UNNAMED and here.handle is not None:
                with suppress(OSError):  # a file system that has no such files
                    return os.open(".", os.O_WRONLY | _UNNAMED, 0o600, dir_fd=here.handle)
            self._temporary = f"{PREFIX}{uuid.uuid4().hex}"
            return os.open(here.at(self._temporary), _NEW, 0o600, dir_fd=here.handle)

    def add(self, pieces: list[bytes]) -> None:
        """Write what comes next."""

        def write(handle: int) -> None:
            for piece in pieces:
                view = memoryview(piece)
                while view:
                    view = view[os.write(handle, view) :]

        self.fill(write)

    def fill(self, source: Callable[[int], None]) -> None:
        """Have it written to the file."""
        with self._lock:
            try:
                source(self._handle)
            except OSError as error:
                raise self._failed(error) from error

    def keep(self) -> File:
        """Give it the first of its names that no file has."""
        with self._lock:
            try:
                return self._keep()
            except OSError as error:
                raise self._failed(error) from error

    def _keep(self) -> File:
        *folders, _ = self._name.split("/")
        with place(self._folder, ()) as here, place(self._folder, tuple(folders), make=True) as there:
            for name in numbered(self._name):
                parts = tuple(name.split("/"))
                try:
                    self._link(here, there, parts[-1])
                except FileExistsError:
                    continue
                return _file(there, parts)
        raise NotAName(TOO_MANY.format(name=self._name))

    def _link(self, here: Place, there: Place, name: str) -> None:
        if self._temporary:
            _move(here, self._temporary, there, name)
            self._temporary = ""
        else:
            os.link(f"{_OPEN_FILES}/{self._handle}", name, dst_dir_fd=there.handle, follow_symlinks=True)

    def end(self) -> None:
        """Close it; one that was not kept is gone then."""
        with self._lock:
            if self._handle >= 0:
                os.close(self._handle)
                self._handle = -1
            if self._temporary:
                with suppress(OSError), place(self._folder, ()) as here:
                    os.unlink(here.at(self._temporary), dir_fd=here.handle)

    def _failed(self, error: OSError) -> FileError:
        if error.errno in _FULL:
            return NoRoom(_FULL[error.errno].format(name=self._name))
        if error.errno in (errno.ENOTDIR, errno.ELOOP):
            return NotAName(NO_FOLDER.format(name=self._name))
        return FileError(NOT_WRITTEN.format(name=self._name, why=error.strerror))


def _move(here: Place, old: str, there: Place, new: str) -> None:
    """Give a file another name; raises FileExistsError where one has it already, else OSError."""
    source, target = here.at(old), there.at(new)
    if os.name == "nt":
        Path(source).rename(target)  # which replaces nothing there
        return
    try:
        os.link(source, target, src_dir_fd=here.handle, dst_dir_fd=there.handle, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A file system without links: the name is taken by an empty file, which the whole one replaces.
        os.close(os.open(target, _NEW, 0o600, dir_fd=there.handle))
        try:
            os.rename(source, target, src_dir_fd=here.handle, dst_dir_fd=there.handle)
        except BaseException:
            with suppress(OSError):
                os.unlink(target, dir_fd=there.handle)
            raise
        return
    os.unlink(source, dir_fd=here.handle)


def _file(where: Place, parts: tuple[str, ...]) -> File:
    its = os.stat(where.at(parts[-1]), dir_fd=where.handle, follow_symlinks=False)
    if not stat.S_ISREG(its.st_mode):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    return File("/".join(parts), its.st_size, its.st_mtime_ns)
