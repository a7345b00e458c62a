"""Which conversation has which kernel: the registry of a process."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from coderunner.errors import KernelNotStarted, NoSuchKernel
from coderunner.files.changes.made_files import LocalFiles
from coderunner.files.chat_folder import ChatFolder
from coderunner.kernel.connections import local_kernel
from coderunner.kernel.connections.forking import templates
from coderunner.kernel.connections.kernel_process import environment_of, interpreter_of
from coderunner.kernel.connections.kernel_specs import NATIVE
from coderunner.kernel.connections.local_kernel import LocalKernel
from coderunner.kernel.connections.servers import find_or_start
from coderunner.kernel.connections.servers.find_or_start import UnlistedKernels
from coderunner.kernel.execution.running_cell import RunningCell
from coderunner.kernel.execution.transport import Transport
from coderunner.kernel.io_thread import IOThread, io_thread
from coderunner.kernel.kernel_location import (
    KernelLocation,
    Local,
    Server,
    approval_of,
    local_of,
    location_of,
)
from coderunner.kernel.packages.chat_packages import ChatPackages
from coderunner.kernel.protocol.cell_outputs import Change
from coderunner.kernel.room.capacity import Capacity
from coderunner.kernel.room.room import Room
from coderunner.kernel.sessions.cell_refusals import CellRefusals
from coderunner.kernel.sessions.folders.chat_folders import ChatFolders, server_path, slug
from coderunner.kernel.sessions.kernel_status import KernelStatus
from coderunner.kernel.sessions.run_prelude import keep_packages, offer_tools, prepare, sources
from coderunner.kernel.sessions.session import Session
from coderunner.kernel.sessions.spare_kernel import SpareKernel
from coderunner.outputs import Refusal
from coderunner.packages.installer import Place
from coderunner.packages.offers import Packaging
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.sandbox.policy import NO_LIMITS, Grants
from coderunner.sandbox.refusals import grants_of
from coderunner.tools.toolbox import Toolbox

__all__ = [
    "Capacity",
    "Change",
    "KernelLocation",
    "KernelStatus",
    "Local",
    "RunningCell",
    "Server",
    "Session",
    "Sessions",
    "approval_of",
    "local_of",
    "location_of",
]


class Sessions:
    """The sessions of all conversations; one for the whole process. May be used from any thread.

    Kernels on this machine end with the process, after some time of rest, and for others. Kernels on a server
    are left alone then, so that they are found again: the server's own culling decides about them.
    """

    def __init__(
        self,
        root: Path | None = None,
        *,
        capacity: Capacity | None = None,
        max_memory: float = 0.0,
        max_disk: float = 0.0,
        spare: bool = False,
        preload: Sequence[str] | None = None,
        sandbox: KernelSandbox | None = None,
        inside: IOThread | None = None,
        packaging: Packaging | None = None,
        toolbox: Toolbox | None = None,
        patience: float | None = None,
    ) -> None:
        """Keep the working directories of local kernels under `root`, else in a temporary directory.

        There are no more of them than `capacity` allows; its default follows the machine. One that uses more
        than `max_memory` gigabytes, with all that it started, is ended; 0: no limit. No file is taken into a
        folder that would take more than `max_disk` gigabytes then; 0: no limit. With a `spare`, the next
        conversation's kernel on this machine has started before it is needed. With a list of modules to
        `preload`, kernels are forked and have these, or there is a spare. In a `sandbox`, kernels on this
        machine reach what it allows; without, all that this process does. `packaging`: whether packages that
        code lacks are installed for it. `toolbox`: the tools that code may call. `patience`: cf. `Turns`.
        """
        self.io_thread = inside or io_thread()
        self.folders = ChatFolders(root, quota=int(max_disk * 1e9))
        self._capacity = capacity or Capacity()
        self._room = Room(self._capacity)
        memory = int(max_memory * 1e9)
        self._limits = replace(sandbox.limits if sandbox else NO_LIMITS, memory=memory)
        self.sandbox, self.toolbox, self._patience = sandbox, toolbox, patience
        self._confined: dict[str, LocalKernel] = {}
        """The kernel of this machine that a conversation had last."""
        packaging = packaging or Packaging()
        self._sessions: dict[str, Session] = {}
        self.packages = ChatPackages(
            packaging, lambda: self.folders.root, slug, self._place_of, self._sessions.get
        )
        self._refusals = CellRefusals(sandbox, self._confined, self.folder, self.packages)
        self._templates = templates.hold(preload, sources())
        spare = spare or (preload is not None and self._templates is None)
        self._spare = SpareKernel(sandbox, self._limits, lambda: self.folders.root) if spare else None
        self._unlisted, self._leaving = UnlistedKernels(), False
        self._lock = threading.Lock()
        self._farewell = partial(self._close_all, keep=True)
        self.io_thread.at_exit(self._farewell)

    def get(self, conversation: str, where: KernelLocation, owner: str = "") -> Session:
        """Return the conversation's session: always the same for the same `where`; another one ends that.

        `owner`: whose it is, of several who share this machine. Starts nothing by itself, and never raises.
        """
        with self._lock:
            session = self._sessions.get(conversation)
            if session is not None and session.where == where:
                return session
            here = isinstance(where, Local)
            successor = Session(
                conversation,
                where,
                self._open,
                self.io_thread,
                idle=self._capacity.idle,
                refused=self._refusals.find if here else None,
                mend=self.packages.mender(conversation, where) if isinstance(where, Local) else None,
                files=LocalFiles(self.folder(conversation, where)) if isinstance(where, Local) else None,
                limits=self._limits if here else NO_LIMITS,
                toolbox=None if where.attach else self.toolbox,
                patience=self._patience,
            )
            if session is not None:
                successor.take_over(session)
                self.io_thread.submit(self._release(session))
            successor.leaving, successor.owner = self._leaving, owner
            self._sessions[conversation] = successor
            return successor

    def all(self) -> list[Session]:
        """Return all sessions there are."""
        with self._lock:
            return list(self._sessions.values())

    def close(
        self, conversation: str, where: KernelLocation | None = None
    ) -> Coroutine[object, object, None]:
        """End a conversation's kernel, wherever it is; what it was granted is forgotten.

        From the call on, before anything is awaited, a session of that name is another one. Given `where`,
        also the kernel on that server that nobody owns here; a server that does not answer keeps it.
        """
        with self._lock:
            session = self._sessions.pop(conversation, None)
        return self._close(conversation, session, where)

    async def _close(self, conversation: str, session: Session | None, where: KernelLocation | None) -> None:
        if self.sandbox is not None:
            await asyncio.to_thread(self.sandbox.granted.forget, conversation)
        await asyncio.to_thread(self.packages.forget, conversation)
        if self.toolbox is not None:
            self.io_thread.post(self.toolbox.forget, conversation)
        if session is not None:
            await self.io_thread.run(self._end(session, keep=False))
        if isinstance(where, Server):
            await self.io_thread.run(find_or_start.delete_kernel(where, server_path(conversation, where)))

    async def grant(self, conversation: str, grants: Grants) -> bool:
        """Let a conversation's kernel on this machine reach more, from now on.

        True: the kernel that runs may, with its variables. False: it takes a new one, for the next cell; or
        nothing was granted, because the conversation has too many grants.
        """
        if self.sandbox is None or not self.sandbox.granted.add(conversation, grants):
            return False
        return await self.io_thread.run(self._show(conversation, grants))

    async def revoke(self, conversation: str, grants: Grants) -> bool:
        """Take back what a conversation's kernel on this machine may reach beyond its folder.

        True: its kernel was replaced, and with it the variables: it saw what was taken back.
        """
        if self.sandbox is None:
            return False
        self.sandbox.granted.remove(conversation, grants)
        return await self.io_thread.run(self._hide(conversation, grants))

    def granted(self, conversation: str, refusal: Refusal) -> bool:
        """Tell whether a conversation may reach by now what a button of a refusal grants."""
        if refusal.access == "package":
            return self.packages.installed(conversation, refusal)
        return self.sandbox is not None and self.sandbox.grants_hold(conversation, grants_of(refusal))

    def follow_grants(self, hear: Callable[[str], None]) -> None:
        """Call `hear` with each conversation that was granted more or less, or got packages."""
        self.packages.follow(hear)
        if self.sandbox is not None:
            self.sandbox.granted.follow(hear)

    async def _hide(self, conversation: str, grants: Grants) -> bool:
        session = self._sessions.get(conversation)
        if conversation not in self._confined or session is None or not session.live or session.where.attach:
            return False
        if grants.read or grants.write:
            await session.restart()
            return True
        return False

    async def _show(self, conversation: str, grants: Grants) -> bool:
        kernel, session = self._confined.get(conversation), self._sessions.get(conversation)
        if kernel is None or session is None or not session.live:
            return False
        if await kernel.show(grants):
            return True
        await session.rest()
        return False

    def release(self, session: Session) -> None:
        """End the kernel of a session that nobody uses, also on a server; returns at once.

        Its next cell gets a new kernel, and says that variables are gone.
        """
        self.io_thread.submit(self._vacate(session))

    async def _vacate(self, session: Session) -> None:
        await session.rest(keep=False)
        if isinstance(session.where, Server):
            await self._unlisted.delete(session.where, server_path(session.conversation, session.where))

    async def words_of_tools(self, session: Session) -> str:
        """What a model is told of the tools that its code may call; empty where there are none."""
        return await self.io_thread.run(session.tools.words()) if session.tools else ""

    def live(self, conversation: str) -> bool:
        """Tell whether the conversation has a kernel, or one is being started."""
        session = self._sessions.get(conversation)
        return session is not None and session.live

    def leave(self) -> None:
        """Say that the process ends: what is stopped from now on has lost its variables on this machine."""
        self._leaving = True
        for session in self.all():
            session.leaving = True

    async def close_all(self, *, keep: bool = True) -> None:
        """End all kernels on this machine; those on servers too unless `keep` is set."""
        await self.io_thread.run(self._close_all(keep=keep))

    async def _close_all(self, *, keep: bool) -> None:
        with self._lock:
            sessions = list(self._sessions.values())
            self._sessions.clear()
        ends = [self._end(session, keep=keep) for session in sessions]
        spare = [self._spare.close] if self._spare is not None else []
        await asyncio.gather(*ends, *(close() for close in spare), return_exceptions=True)
        # A session that ended while it waited for the spare kernel has left that behind.
        await asyncio.gather(*(close() for close in spare), return_exceptions=True)
        await self._room.close()
        await templates.release(self._templates)
        if self.toolbox is not None:
            await self.toolbox.close()
        self.io_thread.forget(self._farewell)
        self.folders.close()

    async def _end(self, session: Session, *, keep: bool) -> None:
        kernel = self._confined.get(session.conversation)
        await self._release(session, keep=keep)
        if self._confined.get(session.conversation) is kernel:
            self._confined.pop(session.conversation, None)
        if self._sessions.get(session.conversation, session) is not session:
            return  # the folder is another's of that name by now
        self.folders.remove_empty(session.conversation, session.where)

    async def _release(self, session: Session, *, keep: bool = False) -> None:
        left = await session.end(keep=keep)
        await _delete_on_server(session, self._unlisted, left=left and not keep)

    # --- opening ----------------------------------------------------------------------------------

    async def _open(self, conversation: str, where: KernelLocation, *, start: bool = True) -> Transport:
        transport = await self._find_or_start(conversation, where, start=start)
        try:
            await prepare(transport, server=isinstance(where, Server))
            if isinstance(transport, LocalKernel) and isinstance(where, Local):
                await keep_packages(transport, self.folders.packages(conversation, where))
            if self.toolbox is not None:
                await offer_tools(transport, await self.toolbox.offer())
        except BaseException:
            await asyncio.shield(transport.close(keep=transport.found))
            raise
        return transport

    async def _find_or_start(self, conversation: str, where: KernelLocation, *, start: bool) -> Transport:
        if isinstance(where, Server) and where.attach:
            return await find_or_start.attach(where)
        if isinstance(where, Server):
            path = server_path(conversation, where)
            return await find_or_start.open_kernel(where, path, self._unlisted, start=start)
        if not start:
            raise NoSuchKernel("kernels on this machine end with the process that started them")
        if where.sandbox and self.sandbox is None:
            # Somebody was told that there is one.
            raise KernelNotStarted("it was to run in a sandbox, but none was set up")
        if (session := self._sessions.get(conversation)) is not None:
            await self._room.admit(session)
        directory = self.folder(conversation, where)
        kernel = None
        if self._spare is not None and where.kernel_name == self._spare.kernel_name:
            kernel = await self._spare.take(directory, conversation)
        kernel = kernel or await local_kernel.start(
            where.kernel_name,
            directory,
            sandbox=self.sandbox,
            limits=self._limits,
            conversation=conversation,
            templates=self._templates,
        )
        self._confined[conversation] = kernel
        self._refill()
        return kernel

    def _place_of(self, conversation: str, where: Local) -> Place:
        folder = self.folders.packages(conversation, where).parent
        return Place(folder.name, folder, interpreter_of(where.kernel_name))

    def prepare(self, where: KernelLocation) -> None:
        """Have ready what the kernel of the first conversation will come from; returns at once."""
        if self.toolbox is not None:
            self.io_thread.post(self.toolbox.warm)
        if isinstance(where, Local):
            self.io_thread.post(self._refill)

    def _refill(self) -> None:
        if self._templates is not None:
            self._templates.prepare(environment_of(NATIVE))
        if self._spare is not None and not self._room.full:
            self._spare.refill()

    def directory(self, conversation: str) -> Path:
        """Return the working directory of a conversation's local kernel."""
        return self.folders.own(conversation)

    def folder(self, conversation: str, where: KernelLocation | None = None) -> Path:
        """The folder that a local kernel works in."""
        if where is None and (session := self._sessions.get(conversation)) is not None:
            where = session.where
        return self.folders.used(conversation, where)

    def files(self, conversation: str, where: KernelLocation | None = None) -> ChatFolder:
        """The files of a conversation, wherever its kernel is; starts none, and never raises."""
        if where is None and (session := self._sessions.get(conversation)) is not None:
            where = session.where
        find = partial(self._sessions.get, conversation)
        return self.folders.files(conversation, where, find, self.io_thread.run)


async def _delete_on_server(session: Session, unlisted: UnlistedKernels, *, left: bool) -> None:
    """Delete the kernels of a session that has ended: one that no list has, and one that it had `left`."""
    if isinstance(session.where, Server):
        path = server_path(session.conversation, session.where)
        await unlisted.delete(session.where, path)
        if left:
            await find_or_start.delete_kernel(session.where, path)
