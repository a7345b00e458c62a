"""A chat's folder on a Jupyter server, by whichever way leads to where the code is."""

from collections.abc import AsyncIterable

from coderunner.files.chat_folder import ChatFolder, File, FolderUnreachable, Listing, OpenedFile, Room
from coderunner.kernel.connections.servers.contents.contents_folder import ContentsFolder
from coderunner.kernel.sessions.folders.kernel_folder import KernelFolder


class ServerFolder:
    """The folder by the server's Contents API; through the kernel, where that works elsewhere.

    A gateway has no Contents API, a kernel that a server has on a gateway has other files than the server,
    and a person's own kernel works where that person has started it.
    """

    def __init__(self, contents: ContentsFolder | None, kernel: KernelFolder) -> None:
        """`contents`: None for a person's own kernel."""
        self._contents, self._kernel = contents, kernel
        self._chosen: ChatFolder | None = None
        self.where = contents.where if contents is not None else kernel.where

    async def _choice(self) -> ChatFolder:
        if self._chosen is None:
            self._chosen = await self._choose()
            self.where = self._chosen.where
        return self._chosen

    async def _choose(self) -> ChatFolder:
        try:
            working, changed = await self._kernel.folder()
        except FolderUnreachable:
            # No kernel runs yet, or it cannot be asked: it starts in the server's folder, if that has one.
            if self._contents is not None and await self._contents.there():
                return self._contents
            return self._kernel
        if self._contents is None or not await self._contents.is_at(working, changed):
            return self._kernel
        return self._contents if await self._contents.there() else self._kernel

    async def list(self) -> Listing:
        """List its files."""
        return await (await self._choice()).list()

    def address(self, path: str) -> str:
        """Where else a person finds a file, once it is known where the files are."""
        return self._chosen.address(path) if self._chosen is not None else ""

    async def room(self, listing: Listing) -> Room:
        """How much it takes, and how much more it may."""
        return await (await self._choice()).room(listing)

    async def open(self, path: str) -> OpenedFile:
        """Open a file by its path in the folder."""
        return await (await self._choice()).open(path)

    async def write(self, path: str, pieces: AsyncIterable[bytes], size: int | None = None) -> File:
        """Write a new file, whole or not at all, and give the path that it got."""
        return await (await self._choice()).write(path, pieces, size)

    async def rename(self, old: str, new: str) -> File:
        """Give a file another name, which no other has."""
        return await (await self._choice()).rename(old, new)

    async def delete(self, path: str) -> None:
        """Delete a file."""
        await (await self._choice()).delete(path)
