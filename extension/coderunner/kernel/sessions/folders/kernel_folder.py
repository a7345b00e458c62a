"""A chat's folder, reached through its kernel: where nothing but that kernel can be reached."""

import asyncio
import base64
import binascii
import uuid
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping
from contextlib import suppress

from coderunner.errors import KernelError
from coderunner.files.chat_folder import (
    MOST,
    File,
    FileError,
    FolderUnreachable,
    Listing,
    NoRoom,
    NoSuchFile,
    NotAName,
    Room,
)
from coderunner.files.file_names import chosen_name, file_name, hidden, numbered
from coderunner.files.file_words import (
    DISK_FULL,
    IS_TAKEN,
    NOT_DELETED,
    NOT_LISTED,
    NOT_READ,
    NOT_RENAMED,
    NOT_THERE,
    NOT_WRITTEN,
    TOO_LARGE,
    TOO_MANY,
    no_room,
)
from coderunner.files.receiving import chunks, one_behind

Ask = Callable[[str, Mapping[str, object], float], Awaitable[Mapping[str, object]]]
"""Asks the kernel a question, with patience in seconds; raises KernelError."""

PIECE = 1024 * 1024
"""Bytes of a file in one question: interrupts wait behind it, for milliseconds."""
PATIENCE = 30.0
"""Seconds for a step: the kernel may sit at the end of a slow line."""
THERE = "The files of this chat are in the folder that its kernel works in: {folder} on {host}."
SOMEWHERE = "The files of this chat are in the folder that its kernel works in."
UNREACHABLE = "The files of this chat are reached through its kernel only, but {why}."
_FULL = {"ENOSPC": DISK_FULL, "EDQUOT": DISK_FULL, "EFBIG": TOO_LARGE}
_MISSING = ("ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP")
_LARGEST = 2**63


class KernelFolder:
    """The folder that an IPython kernel was started in. May be used from any loop."""

    def __init__(self, ask: Ask, host: str, *, quota: int = 0) -> None:
        """`host`: where the kernel is, as a reader knows it."""
        self._ask, self._host, self.quota = ask, host, quota
        self.where, self._whole = SOMEWHERE, ""

    async def folder(self) -> tuple[str, int]:
        """The folder's whole path there, and when it was changed, in ns; raises FolderUnreachable."""
        answer = await self.step("where", NOT_LISTED, "")
        found, changed = str(answer.get("folder", ""))[:1000], answer.get("changed")
        self.where, self._whole = THERE.format(folder=found, host=self._host), found.rstrip("/")
        return found, changed if isinstance(changed, int) else 0

    async def list(self) -> Listing:
        """List its files."""
        answer = await self.step("list", NOT_LISTED, "", most=MOST)
        found = answer.get("files")
        listed = map(_file, found[:MOST] if isinstance(found, list) else ())
        files = tuple(sorted(file for file in listed if file is not None))
        return Listing(files, _count(answer.get("more")), _count(answer.get("unnamed")))

    def address(self, path: str) -> str:
        """Its whole path where the kernel is, once that is known."""
        return f"{self._whole}/{path}" if self._whole else ""

    async def room(self, listing: Listing) -> Room:
        """How much it takes, and how much more it may."""
        used = sum(file.size for file in listing.files)
        return Room(used, max(0, self.quota - used) if self.quota else None)

    async def open(self, path: str) -> "KernelFile":
        """Open a file by its path in the folder."""
        inner = _inner(path)
        size, changed = _about(await self.step("about", NOT_READ, inner, path=inner))
        return KernelFile(self, inner, size, changed)

    async def write(self, path: str, pieces: AsyncIterable[bytes], size: int | None = None) -> File:
        """Write a new file, whole or not at all, and give the path that it got."""
        name, token = file_name(path), uuid.uuid4().hex
        left = (await self.room(await self.list())).left if self.quota else None
        written = 0

        async def add(chunk: bytes) -> None:
            nonlocal written
            written += len(chunk)
            self._require(name, written, left)
            data = base64.b64encode(chunk).decode()
            await self.step("append", NOT_WRITTEN, name, name=token, data=data)

        self._require(name, size or 0, left)
        try:
            await add(b"")  # a file without bytes is one, too
            await one_behind(chunks(pieces, PIECE), add)
            return await self._keep(token, name)
        except BaseException:
            await asyncio.shield(self._drop(token))
            raise

    def _require(self, name: str, size: int, left: int | None) -> None:
        if left is not None and size > left:
            raise NoRoom(no_room(name, size, left=left, quota=self.quota))

    async def _keep(self, token: str, name: str) -> File:
        for each in numbered(name):
            with suppress(NotAName):
                answer = await self.step("keep", NOT_WRITTEN, each, name=token, path=each)
                return File(each, *_about(answer))
        raise NotAName(TOO_MANY.format(name=name))

    async def _drop(self, token: str) -> None:
        with suppress(FileError):
            await self.step("drop", NOT_DELETED, "", name=token)

    async def rename(self, old: str, new: str) -> File:
        """Give a file another name, which no other has."""
        before, after = _inner(old), chosen_name(new)
        try:
            answer = await self.step("rename", NOT_RENAMED, before, old=before, new=after)
        except NotAName:
            raise NotAName(IS_TAKEN.format(name=after)) from None
        return File(after, *_about(answer))

    async def delete(self, path: str) -> None:
        """Delete a file."""
        inner = _inner(path)
        await self.step("delete", NOT_DELETED, inner, path=inner)

    async def step(self, do: str, failed: str, shown: str, **arguments: object) -> Mapping[str, object]:
        """Have the kernel do one step; raises FileError, `failed` if the system refuses it."""
        try:
            answer = await self._ask("files", {"do": do, **arguments}, PATIENCE)
        except KernelError as error:
            raise FolderUnreachable(UNREACHABLE.format(why=str(error).rstrip("."))) from error
        if (code := answer.get("failed")) is None:
            return answer
        if code in _MISSING and shown:
            raise NoSuchFile(NOT_THERE.format(name=shown))
        if code == "EEXIST":
            raise NotAName(IS_TAKEN.format(name=shown))
        if code in _FULL:
            raise NoRoom(_FULL[str(code)].format(name=shown))
        raise FileError(failed.format(name=shown, why=" ".join(str(answer.get("why", "")).split())[:200]))


class KernelFile:
    """A file there that is open for reading: nothing is kept open but its name."""

    def __init__(self, folder: KernelFolder, path: str, size: int, changed: int) -> None:
        self._folder, self._path = folder, path
        self.name, self.size, self.changed = path.rpartition("/")[2], size, changed

    async def pieces(self, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """Read the bytes from `start` until before `end`; fewer, if the file has become shorter."""
        while start < end and (piece := await self._piece(start, min(PIECE, end - start))):
            start += len(piece)
            yield piece

    async def _piece(self, start: int, most: int) -> bytes:
        where = {"path": self._path, "start": start, "most": most}
        answer = await self._folder.step("read", NOT_READ, self._path, **where)
        try:
            return base64.b64decode(str(answer.get("data", "")), validate=True)[:most]
        except (binascii.Error, ValueError):
            raise FileError(NOT_READ.format(name=self._path, why="the kernel sent something else")) from None

    async def close(self) -> None:
        """Nothing is open."""


def _inner(path: str) -> str:
    """The path of a file that is there; raises NoSuchFile where it is elsewhere, or hidden."""
    parts = path.split("/")
    if not all(parts) or any(map(hidden, parts)) or "\0" in path or "\\" in path:
        raise NoSuchFile(NOT_THERE.format(name=path[:200]))
    return path


def _count(number: object) -> int:
    return number if isinstance(number, int) and 0 <= number < _LARGEST else 0


def _file(told: object) -> File | None:
    """A line of a listing, checked; None where it is none."""
    match told:
        case [str(path), int(size), int(changed)] if 0 <= size < _LARGEST and 0 <= changed < _LARGEST:
            with suppress(NoSuchFile):
                return File(_inner(path), size, changed)
    return None


def _about(answer: Mapping[str, object]) -> tuple[int, int]:
    file = _file(["file", answer.get("size"), answer.get("changed")])
    if file is None:
        raise FolderUnreachable(UNREACHABLE.format(why="it says nothing of this file"))
    return file.size, file.changed
