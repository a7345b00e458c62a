"""Where the files of a conversation lie: the folder that its kernel works in."""

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from coderunner.errors import NotAnswered
from coderunner.files.chat_folder import ChatFolder
from coderunner.files.local_folder import LocalFolder
from coderunner.kernel.connections.servers.contents.contents_folder import (
    ContentsFolder,
    Run,
    UnlistedFolders,
)
from coderunner.kernel.kernel_location import KernelLocation, Local, Server
from coderunner.kernel.sessions.folders.kernel_folder import KernelFolder
from coderunner.kernel.sessions.folders.server_folder import ServerFolder

NO_KERNEL = "no kernel runs for this conversation; it starts with the next block"
PACKAGES = ".packages"
"""The folder of packages that a sandboxed kernel installs."""


class Asked(Protocol):
    """A session, as far as its kernel is asked."""

    @property
    def where(self) -> KernelLocation:
        """Where its kernel is."""

    async def ask(
        self, question: str, arguments: Mapping[str, object], patience: float
    ) -> Mapping[str, object]:
        """Ask the kernel; raises KernelError."""


class ChatFolders:
    """The working directories of kernels on this machine. May be used from any thread."""

    def __init__(self, root: Path | None = None, *, quota: int = 0) -> None:
        """Keep them under `root`, else in a temporary directory.

        `quota`: bytes that one of our own may take by files of a person; 0: no limit.
        """
        self._root = root
        self._quota = quota
        self._unlisted = UnlistedFolders()
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    @property
    def root(self) -> Path:
        """The folder of all of them."""
        if self._root is not None:
            return self._root
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="coderunner-", ignore_cleanup_errors=True)
        return Path(self._temporary.name)

    def own(self, conversation: str) -> Path:
        """The folder that only this conversation has."""
        return self.root / slug(conversation)

    def used(self, conversation: str, where: KernelLocation | None) -> Path:
        """The folder that a kernel at `where` works in: a person's own, where they chose one."""
        chosen = where.directory if isinstance(where, Local) else ""
        return Path(chosen) if chosen else self.own(conversation)

    def files(
        self,
        conversation: str,
        where: KernelLocation | None,
        session: Callable[[], Asked | None],
        run: Run,
    ) -> ChatFolder:
        """The files in the folder that a kernel at `where` works in.

        `session` finds the conversation's, if it has one, and `run` awaits in the loop of kernels.
        """
        if isinstance(where, Server):

            async def ask(
                question: str, arguments: Mapping[str, object], patience: float
            ) -> Mapping[str, object]:
                found = session()
                if found is None or found.where != where:
                    raise NotAnswered(NO_KERNEL)
                return await found.ask(question, arguments, patience)

            path = where.folder.strip("/") if where.folder else server_path(conversation, where)
            # Of a folder that a person has chosen, the disk is the only limit.
            quota = 0 if where.attach or where.folder else self._quota
            contents = ContentsFolder(where, path, run, quota=quota, unlisted=self._unlisted)
            kernel = KernelFolder(ask, where.url, quota=quota)
            return ServerFolder(None if where.attach else contents, kernel)
        chosen = isinstance(where, Local) and where.directory
        return LocalFolder(self.used(conversation, where), quota=0 if chosen else self._quota)

    def packages(self, conversation: str, where: Local) -> Path:
        """Where a kernel has its packages: in its own folder.

        One that works in a folder of the person's leaves that alone: all that work there have one folder
        among ours, which those in a sandbox do not see; theirs end with the kernel.
        """
        if where.directory and where.sandbox:
            return Path("~", PACKAGES)
        return (self._project(where.directory) if where.directory else self.own(conversation)) / PACKAGES

    def _project(self, directory: str) -> Path:
        """The folder among ours that belongs to a folder of a person's; no conversation's has such a name."""
        return self.root / f".project-{hashlib.sha256(os.path.realpath(directory).encode()).hexdigest()[:16]}"

    def remove_empty(self, conversation: str, where: KernelLocation) -> None:
        """Remove the folders of ours in which the program left nothing."""
        packages = [self.packages(conversation, where)] if isinstance(where, Local) else []
        for each in (*packages, self.own(conversation) / PACKAGES):
            for folder in (each, each.parent):
                with suppress(OSError):
                    folder.rmdir()

    def close(self) -> None:
        """Remove them all where they are temporary."""
        if self._temporary is not None:
            self._temporary.cleanup()


def server_path(conversation: str, where: Server) -> str:
    """The path of a conversation's session on a server, which starts the kernel there, if that is a folder.

    In a folder that is chosen, the path names no other: the kernel starts in the chosen one.
    """
    own = slug(conversation)
    return f"{where.folder}/coderunner-{own}".lstrip("/") if where.folder else f"coderunner/{own}"


def slug(conversation: str) -> str:
    """Return a name for files and paths that no other conversation has."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", conversation).strip("-")[:40]
    if plain == conversation:
        return plain
    return f"{plain or 'conversation'}-{hashlib.sha256(conversation.encode()).hexdigest()[:12]}"
