"""The folder of a chat's files, wherever it is: on this machine, or on a Jupyter server."""

from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from coderunner.errors import CodeRunnerError


class FileError(CodeRunnerError):
    """What was asked of a chat's files was not done; the sentence says why, and what to do."""


class NoSuchFile(FileError, LookupError):
    """The folder has no such file, or it cannot be given."""


class NotAName(FileError, ValueError):
    """A file cannot bear that name, or another one has it."""


class NoRoom(FileError, OSError):
    """The file is larger than what there is room for."""


class FolderUnreachable(FileError, ConnectionError):
    """The folder cannot be reached, now or at all."""


class File(NamedTuple):
    """A file of the folder. A tuple, since thousands are made after each cell."""

    path: str
    """Within the folder, its parts joined by "/"."""
    size: int
    """Bytes."""
    changed: int
    """When its content was changed, in nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The files that a person sees: no hidden ones, no links, nothing but plain files."""

    files: tuple[File, ...] = ()
    """In the order of their paths."""
    more: int = 0
    """How many files and folders were not looked at, because there are too many, or they lie too deep."""
    unnamed: int = 0
    """How many files have a name that is no text, so that no address can name them."""


@dataclass(frozen=True, slots=True)
class Room:
    """How much the folder takes and may take."""

    used: int
    """Bytes of what was listed."""
    left: int | None
    """Bytes that there is room for; None: nobody knows."""


class OpenedFile(Protocol):
    """A file that is open for reading; whoever has opened it closes it."""

    @property
    def name(self) -> str:
        """Without its folders."""

    @property
    def size(self) -> int:
        """Bytes, when it was opened."""

    @property
    def changed(self) -> int:
        """When its content was changed, in nanoseconds since 1970."""

    def pieces(self, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """Read the bytes from `start` until before `end`; fewer, if the file has become shorter.

        Raises FileError where they cannot be had.
        """

    async def close(self) -> None:
        """Close it; does nothing the second time."""


class ChatFolder(Protocol):
    """The files of one chat. Names are hostile; so is what the chat's code does to the folder meanwhile.

    Every method raises FileError, and nothing else, where it is not done.
    """

    where: str
    """Where it is, as a sentence for the reader."""

    async def list(self) -> Listing:
        """List its files, as many as `MOST`."""

    def address(self, path: str) -> str:
        """Where else a person finds a file: its whole path, or an address; empty where there is none."""

    async def room(self, listing: Listing) -> Room:
        """How much it takes, and how much more it may."""

    async def open(self, path: str) -> OpenedFile:
        """Open a file by its path in the folder; raises NoSuchFile."""

    async def write(self, path: str, pieces: AsyncIterable[bytes], size: int | None = None) -> File:
        """Write a new file, whole or not at all, and give the path that it got.

        A name that another file has gets a number: `a (2).csv`. `size`: how many bytes come, where that is
        known. If `pieces` raises, nothing is left. Raises NotAName, NoRoom.
        """

    async def rename(self, old: str, new: str) -> File:
        """Give a file another name, which no other has; raises NoSuchFile, NotAName."""

    async def delete(self, path: str) -> None:
        """Delete a file; raises NoSuchFile."""


MOST = 10_000
"""Files in a listing."""
