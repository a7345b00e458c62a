"""The files that ids name: those of an owner's conversations, and those that were uploaded by themselves.

Whose file it is follows from who asks: an id leads into the folder of the asking owner's conversation.
"""

import hashlib
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from coderunner.files.chat_folder import ChatFolder, File, Listing, NoRoom, OpenedFile
from coderunner.files.file_names import file_name
from coderunner.files.local_folder import LocalFolder
from coderunner.hosts.proxy.files.file_ids import FileId
from coderunner.hosts.proxy.files.received_files import ReceivedFiles
from coderunner.ids import new_id

MOST_BYTES = 2 * 1024**3
"""Bytes of all files that an owner has uploaded by themselves."""
DAY = 86_400.0
TOO_LARGE = "{name} is larger than what one request may bring; leave it in a container, where code reads it."

LabelOf = Callable[[str, str], str]
"""Gives what kernel and records call an owner's conversation."""
FolderOf = Callable[[str, str], ChatFolder]
"""Gives the folder of an owner's conversation, by that."""


@dataclass(frozen=True, slots=True)
class StoredFiles:
    """Those of all owners. Everything raises FileError, and nothing else, where it is not done."""

    label_of: LabelOf
    folder_of: FolderOf
    uploads: Path
    """Where the files are that were uploaded by themselves."""
    days: float
    """Days after which these expire; 0: never."""
    received: ReceivedFiles
    """Knows which files clients have sent."""

    def folder(self, owner: str, conversation: str) -> ChatFolder:
        """The folder of an owner's conversation, or of what was uploaded, if that is not named."""
        if conversation:
            return self.folder_of(owner, self.label_of(owner, conversation))
        return LocalFolder(self.uploads / _slug(owner), quota=MOST_BYTES)

    async def list(self, owner: str, conversation: str) -> Listing:
        """The files of a conversation, or those that were uploaded."""
        return await self.folder(owner, conversation).list()

    @asynccontextmanager
    async def opened(self, owner: str, which: FileId) -> AsyncIterator[OpenedFile]:
        """Open a file, and close it in the end."""
        file = await self.folder(owner, which.conversation).open(which.path)
        try:
            yield file
        finally:
            await file.close()

    async def content(self, owner: str, which: FileId, most: int) -> bytes:
        """A file's content; raises NoRoom if it has more than so many bytes."""
        async with self.opened(owner, which) as file:
            if file.size > most:
                raise NoRoom(TOO_LARGE.format(name=which.name))
            async with aclosing(file.pieces(0, file.size)) as pieces:
                return b"".join([piece async for piece in pieces])

    async def upload(self, owner: str, name: str, pieces: AsyncIterable[bytes], size: int) -> FileId:
        """Keep a file that was uploaded by itself, in a folder of its own, so that it keeps its name."""
        path = f"{new_id(12)}/{file_name(name.replace('/', '_'))}"
        return FileId("", (await self.folder(owner, "").write(path, pieces, size)).path)

    async def add(
        self, owner: str, conversation: str, name: str, pieces: AsyncIterable[bytes], size: int
    ) -> tuple[FileId, File]:
        """Write a file into a conversation's folder."""
        file = await self.folder(owner, conversation).write(name, pieces, size)
        await self.received.note_sent(self.label_of(owner, conversation), file.path)
        return FileId(conversation, file.path), file

    async def copy(self, owner: str, which: FileId, conversation: str) -> tuple[FileId, File]:
        """Write a file that there is into another conversation's folder."""
        async with self.opened(owner, which) as file, aclosing(file.pieces(0, file.size)) as pieces:
            return await self.add(owner, conversation, which.name, pieces, file.size)

    async def delete(self, owner: str, which: FileId) -> None:
        """Delete a file."""
        await self.folder(owner, which.conversation).delete(which.path)

    async def sent(self, owner: str, conversation: str, paths: Sequence[str]) -> frozenset[str]:
        """Which of these files a client has sent; the others were made by code."""
        return await self.received.sent(self.label_of(owner, conversation), paths)

    def sweep(self) -> None:
        """Delete uploads that have expired, and the folders that are empty then."""
        before = time.time() - self.days * DAY
        for owner in _entries(self.uploads):
            for folder in _entries(owner):
                for file in _entries(folder):
                    with suppress(OSError):
                        if self.days and file.lstat().st_mtime < before:
                            file.unlink()
                with suppress(OSError):  # where a file of it is left
                    folder.rmdir()


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(folder.iterdir())
    except OSError:
        return


def _slug(owner: str) -> str:
    return hashlib.sha256(owner.encode("utf-8", "replace")).hexdigest()[:32]
