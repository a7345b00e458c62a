"""A chat's folder on a Jupyter server."""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import quote

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
from coderunner.files.file_words import IS_TAKEN, NOT_THERE, TOO_MANY, no_room
from coderunner.files.folder_listing import LEFT_OUT
from coderunner.files.receiving import chunks, one_behind
from coderunner.kernel.connections.servers.contents.contents_api import CHUNK, ContentsApi, Entry
from coderunner.kernel.connections.servers.rest_api import RestApi
from coderunner.kernel.kernel_location import Server
from coderunner.kernel.server_address import normalise

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, Any]], Awaitable[Any]]
"""Awaits a coroutine in the loop of kernels, from any other."""

THERE = "The files of this chat are in the folder {path} on the Jupyter server {url}."
AT_THE_TOP = "The files of this chat are in the folder of the Jupyter server {url}."
NO_FOLDER = (
    "The Jupyter server {url} has no folder {path}, or hides it; make it there, or change server_folder."
)
DEEPEST = 8
"""Folders within one another that are looked into: each is a request."""
MOST_FOLDERS = 100
CHOSEN = (2, 20)
"""The same two of a folder that a person has chosen: it may hold all that they have."""
TOO_MUCH = (
    "The Jupyter server {url} does not list the folder {path}, because it holds too many files; code can use "
    "them all the same, and server_folder names another folder."
)
ROUNDED = 10_000
"""Nanoseconds by which a server rounds a time."""
PATIENCE = 10.0
"""Seconds for a listing of all of them."""
PATIENCE_INSIDE = 4.0
"""Seconds for one of those that are in a folder."""
REST = 600.0
"""Seconds for which a folder that was not listed is left alone: its server goes on to read it for as long."""
PREFIX = "coderunner-upload-"
"""Begins the name of a file that is not whole yet. The API refuses names that begin with a dot."""


class UnlistedFolders:
    """Folders that their servers have not listed a short while ago, in time and in bounds."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, str], float] = {}

    def note(self, url: str, path: str) -> None:
        """Have a folder left alone for a while."""
        if len(self._until) >= MOST:
            self._until.clear()
        self._until[url, path] = time.monotonic() + REST

    def have(self, url: str, path: str) -> bool:
        """Whether a folder is one of them."""
        return self._until.get((url, path), 0.0) > time.monotonic()


class ContentsFolder:
    """The folder of a session's path. May be used from any loop."""

    def __init__(
        self,
        where: Server,
        path: str,
        run: Run,
        *,
        quota: int = 0,
        unlisted: UnlistedFolders | None = None,
    ) -> None:
        """`quota`: bytes that its files may have; 0: as many as the server takes."""
        self._unlisted = unlisted or UnlistedFolders()
        self.path, self.quota = path, quota
        self._server, self._run = where, run
        self.where = (THERE if path else AT_THE_TOP).format(path=path, url=where.url)

    async def there(self) -> bool:
        """Whether the server has files for us at all: a gateway has none."""
        return await self._do(lambda api: api.there())

    def at(self, path: str) -> str:
        """The path in the server of what has that path in the folder."""
        return f"{self.path}/{path}".strip("/")

    async def is_at(self, folder: str, changed: int) -> bool:
        """Whether the folder of a kernel, with its whole path and when it was changed, may be this one.

        By its path's end; one that is chosen by the time, in ns, since others may have such a name.
        """
        if not self._server.folder:
            return f"{folder.replace(chr(92), '/')}/".endswith(f"/{self.path}/")
        there = 0
        with suppress(FolderUnreachable):
            there = await self._do(lambda api: api.folder_changed(self.path))
        return there > 0 and abs(there - changed) < ROUNDED

    async def list(self) -> Listing:
        """List its files. Links cannot be told from files there; the server follows them as it is set up."""
        return await self._do(self._list)

    async def _list(self, api: ContentsApi) -> Listing:
        files: list[File] = []
        waiting, more, folders = deque([("", 0)]), 0, 0
        deepest, most = CHOSEN if self._server.folder else (DEEPEST, MOST_FOLDERS)
        end = time.monotonic() + PATIENCE
        while waiting:
            prefix, depth = waiting.popleft()  # the folder itself comes first, whatever is deep inside
            folders += 1
            left = end - time.monotonic()
            entries = await self._entries(api, prefix, left) if folders <= most and left > 0 else None
            if entries is None:
                more += 1
                continue
            for entry in entries:
                if hidden(entry.name) or entry.name in LEFT_OUT or entry.name.startswith(PREFIX):
                    continue
                if entry.folder and depth < deepest:
                    waiting.append((f"{prefix}{entry.name}/", depth + 1))
                elif entry.folder or len(files) >= MOST:
                    more += 1
                else:
                    files.append(File(prefix + entry.name, entry.size, entry.changed))
        return Listing(tuple(sorted(files)), more)

    async def _entries(self, api: ContentsApi, prefix: str, left: float) -> Sequence[Entry] | None:
        """What is in a folder, within so many seconds; None where one further down is not told."""
        path, url = self.at(prefix), self._server.url
        found: Sequence[Entry] | None = None
        if not self._unlisted.have(url, path):
            try:
                found = await api.folder(path, within=min(left, PATIENCE_INSIDE) if prefix else left)
            except FolderUnreachable:
                if not await api.there():
                    raise
                self._unlisted.note(url, path)
        if self._unlisted.have(url, path):
            if prefix:
                return None
            raise FolderUnreachable(TOO_MUCH.format(path=path or "/", url=url))
        if found is None and not prefix and self._server.folder:
            raise FolderUnreachable(NO_FOLDER.format(path=self.path, url=self._server.url))
        return found or []

    def address(self, path: str) -> str:
        """Where the server gives it to whoever is logged in there."""
        return f"{normalise(self._server.url)}/files/{quote(self.at(path))}"

    async def room(self, listing: Listing) -> Room:
        """How much it takes, and how much more it may."""
        used = sum(file.size for file in listing.files)
        return Room(used, max(0, self.quota - used) if self.quota else None)

    async def open(self, path: str) -> "ContentsFile":
        """Open a file by its path in the folder."""
        inner = self._inner(path)

        async def look(api: ContentsApi) -> ContentsFile:
            about = await api.about(self.at(inner), inner)
            return ContentsFile(self, inner, about.name, about.size, about.changed)

        return await self._do(look)

    async def read(self, path: str, start: int, end: int) -> bytes:
        """Read a part of a file."""
        return await self._do(lambda api: api.read(self.at(path), path, start, end))

    async def write(self, path: str, pieces: AsyncIterable[bytes], size: int | None = None) -> File:
        """Write a new file, whole or not at all, and give the path that it got."""
        name = file_name(path)
        left = (await self.room(await self.list())).left if self.quota else None
        upload = _Upload(self, name, left)
        upload.require(size or 0)
        try:
            if not self._server.folder:
                await self._do(lambda api: api.make(self.path, name))
            await one_behind(chunks(pieces, CHUNK), upload.add)
            await upload.end()
            return await self._keep(upload.path, name)
        except BaseException:
            await asyncio.shield(upload.drop())
            raise

    async def _keep(self, temporary: str, name: str) -> File:
        """Give a file that is whole the first of its names that no other has."""

        async def give(api: ContentsApi) -> File:
            if "/" in name:
                await api.make(self.at(name.rpartition("/")[0]), name)
            for each in numbered(name):
                if await api.rename(temporary, self.at(each), name):
                    about = await api.about(self.at(each), each)
                    return File(each, about.size, about.changed)
            raise NotAName(TOO_MANY.format(name=name))

        return await self._do(give)

    async def rename(self, old: str, new: str) -> File:
        """Give a file another name, which no other has."""
        before, after = self._inner(old), chosen_name(new)

        async def give(api: ContentsApi) -> File:
            await api.about(self.at(before), before)
            if "/" in after:
                await api.make(self.at(after.rpartition("/")[0]), after)
            if not await api.rename(self.at(before), self.at(after), before):
                raise NotAName(IS_TAKEN.format(name=after))
            about = await api.about(self.at(after), after)
            return File(after, about.size, about.changed)

        return await self._do(give)

    async def delete(self, path: str) -> None:
        """Delete a file."""
        inner = self._inner(path)
        await self._do(lambda api: api.delete(self.at(inner), inner))

    def _inner(self, path: str) -> str:
        """The path of a file that is there; raises NoSuchFile where it is elsewhere, or hidden."""
        parts = path.split("/")
        if not all(parts) or any(map(hidden, parts)) or "\0" in path or "\\" in path:
            raise NoSuchFile(NOT_THERE.format(name=path[:200]))
        return path

    async def put(self, temporary: str, name: str, chunk: bytes, number: int, size: int) -> None:
        """Write a chunk of a file that is not whole yet."""
        await self._do(lambda api: api.put(temporary, name, chunk, number, size))

    async def drop(self, temporary: str) -> None:
        """Delete a file that is not to become whole."""
        with suppress(FileError):
            await self._do(lambda api: api.delete(temporary, temporary))

    async def _do(self, work: Callable[[ContentsApi], Awaitable[T]]) -> T:
        async def inside() -> T:
            try:
                rest = RestApi(self._server)
            except KernelError as error:
                raise FolderUnreachable(f"The files of this chat cannot be reached: {error}.") from error
            try:
                return await work(ContentsApi(rest))
            finally:
                rest.close()

        done: T = await self._run(inside())
        return done


class ContentsFile:
    """A file there that is open for reading: nothing is kept open but its name."""

    def __init__(self, folder: ContentsFolder, path: str, name: str, size: int, changed: int) -> None:
        self._folder, self._path = folder, path
        self.name, self.size, self.changed = name, size, changed

    async def pieces(self, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """Read the bytes from `start` until before `end`; fewer, if the file has become shorter."""
        while start < end and (piece := await self._folder.read(self._path, start, min(start + CHUNK, end))):
            start += len(piece)
            yield piece

    async def close(self) -> None:
        """Nothing is open."""


class _Upload:
    """A file that is being written under a name of ours, until it is whole."""

    def __init__(self, folder: ContentsFolder, name: str, left: int | None) -> None:
        self._folder, self._name, self._left = folder, name, left
        self.path = folder.at(f"{PREFIX}{uuid.uuid4().hex}")
        self._size = self._number = 0
        self._begun = False
        self._last: bytes | None = None
        """Comes when it is known whether it is the last one."""

    def require(self, size: int) -> None:
        """Raise NoRoom where there is none for so many bytes."""
        if self._left is not None and size > self._left:
            raise NoRoom(no_room(self._name, size, left=self._left, quota=self._folder.quota))

    async def add(self, chunk: bytes) -> None:
        """Write the chunk before this one."""
        last, self._last = self._last, chunk
        if last is not None:
            await self._put(last, self._number + 1)

    async def end(self) -> None:
        """Write the last one; a file of one chunk is a whole one, which every server takes."""
        await self._put(self._last or b"", -1 if self._number else 0)

    async def _put(self, chunk: bytes, number: int) -> None:
        self._size += len(chunk)
        self.require(self._size)
        self._number, self._begun = number, True
        await self._folder.put(self.path, self._name, chunk, number, self._size)

    async def drop(self) -> None:
        """Leave nothing of it."""
        if self._begun:
            await self._folder.drop(self.path)
