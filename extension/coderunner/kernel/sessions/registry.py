"""Which conversation has which kernel: the registry of a process."""

import asyncio
import hashlib
import re
import tempfile
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from coderunner.errors import KernelNotStarted, NoSuchKernel
from coderunner.kernel.connections import local_kernel
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
from coderunner.kernel.protocol.cell_outputs import Change
from coderunner.kernel.sessions.kernel_status import KernelStatus
from coderunner.kernel.sessions.run_prelude import keep_packages, prepare
from coderunner.kernel.sessions.session import Session
from coderunner.kernel.sessions.spare_kernel import SpareKernel
from coderunner.outputs import Refusal, Result
from coderunner.sandbox.clues.clues import Clues
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.sandbox.policy import NO_LIMITS, Access, Grants, Policy
from coderunner.sandbox.refusals import grants_of
from coderunner.sandbox.typed import typed_grants

__all__ = [
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

MAX_LOCAL = 20
"""Kernels of ours on this machine at once: an idle one takes 54 MB and 60 file descriptors."""
LOOKING = 2.0
"""Seconds to find out what was refused."""
PACKAGES = ".packages"
"""The folder of packages that a sandboxed kernel installs."""
IDLE = 3600.0
"""Seconds after which a kernel that nobody uses is released."""


class Sessions:
    """The sessions of all conversations; one for the whole process. May be used from any thread.

    Kernels on this machine end with the process and after `idle` seconds of rest. Kernels on a server are
    left alone then, so that they are found again: the server's own culling decides about them.
    """

    def __init__(
        self,
        root: Path | None = None,
        *,
        max_local: int = MAX_LOCAL,
        idle: float = IDLE,
        max_memory: float = 0.0,
        spare: bool = False,
        sandbox: KernelSandbox | None = None,
        inside: IOThread | None = None,
    ) -> None:
        """Keep the working directories of local kernels under `root`, else in a temporary directory.

        One that uses more than `max_memory` gigabytes, with all that it started, is ended; 0: no limit. With
        a `spare`, the next conversation's kernel on this machine has started before it is needed. In a
        `sandbox`, kernels on this machine reach what it allows; without, all that this process does.
        """
        self.io_thread = inside or io_thread()
        self._root = root
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._max_local = max_local
        self._idle = idle
        memory = int(max_memory * 1e9)
        self._limits = replace(sandbox.limits if sandbox else NO_LIMITS, memory=memory)
        self.sandbox = sandbox
        self._confined: dict[str, LocalKernel] = {}
        """The kernel of this machine that a conversation had last."""
        self._spare = SpareKernel(sandbox, self._limits, self._place) if spare else None
        self._sessions: dict[str, Session] = {}
        self._unlisted = UnlistedKernels()
        self._leaving = False
        self._lock = threading.Lock()
        self.io_thread.at_exit(self._farewell)

    def get(self, conversation: str, where: KernelLocation) -> Session:
        """Return the conversation's session: always the same for the same `where`; another one ends that.

        Starts nothing by itself, and never raises.
        """
        with self._lock:
            session = self._sessions.get(conversation)
            if session is not None and session.where == where:
                return session
            refused = self._refused if isinstance(where, Local) and self.sandbox is not None else None
            successor = Session(
                conversation,
                where,
                self._open,
                self.io_thread,
                idle=self._idle,
                refused=refused,
                limits=self._limits if isinstance(where, Local) else NO_LIMITS,
            )
            if session is not None:
                successor.take_over(session)
                self.io_thread.submit(self._release(session))
            successor.leaving = self._leaving
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
        if session is not None:
            await self.io_thread.run(self._end(session, keep=False))
        if isinstance(where, Server):
            await self.io_thread.run(find_or_start.delete_kernel(where, _path(conversation)))

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
        return self.sandbox is not None and self.sandbox.grants_hold(conversation, grants_of(refusal))

    def follow_grants(self, hear: Callable[[str], None]) -> None:
        """Call `hear` with each conversation that was granted more, or less, in any thread."""
        if self.sandbox is not None:
            self.sandbox.granted.follow(hear)

    async def _hide(self, conversation: str, grants: Grants) -> bool:
        session = self._sessions.get(conversation)
        if conversation not in self._confined or session is None or not session.live:
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

    async def _refused(self, conversation: str, result: Result, source: str) -> tuple[Refusal, ...]:
        kernel, sandbox = self._confined.get(conversation), self.sandbox
        if sandbox is None or kernel is None or (policy := kernel.policy) is None:
            return ()
        if not (clues := Clues.of(result, source, sandbox.take_refused(conversation))):
            return ()

        def takes(access: Access, text: str, policy: Policy) -> bool:
            return typed_grants.takes(access, text, policy, sandbox.hidden)

        folder = self.folder(conversation)
        looking = asyncio.to_thread(sandbox.refusals, clues, conversation, policy, folder, takes)
        # A disk that does not answer holds up no result.
        with suppress(TimeoutError):
            return await asyncio.wait_for(looking, LOOKING)
        return ()

    def release(self, session: Session) -> None:
        """End the kernel of a session that nobody uses, also on a server; returns at once.

        Its next cell gets a new kernel, and says that variables are gone.
        """
        self.io_thread.submit(self._vacate(session))

    async def _vacate(self, session: Session) -> None:
        await session.rest(keep=False)
        if isinstance(session.where, Server):
            await self._unlisted.delete(session.where, _path(session.conversation))

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
        self.io_thread.forget(self._farewell)
        if self._temporary is not None:
            self._temporary.cleanup()

    async def _end(self, session: Session, *, keep: bool) -> None:
        kernel = self._confined.get(session.conversation)
        await self._release(session, keep=keep)
        if self._confined.get(session.conversation) is kernel:
            self._confined.pop(session.conversation, None)
        if self._sessions.get(session.conversation, session) is not session:
            return  # the folder is another's of that name by now
        _remove_empty(self.directory(session.conversation))

    async def _release(self, session: Session, *, keep: bool = False) -> None:
        await session.end(keep=keep)
        if isinstance(session.where, Server):
            await self._unlisted.delete(session.where, _path(session.conversation))

    async def _farewell(self) -> None:
        await self._close_all(keep=True)

    # --- opening ----------------------------------------------------------------------------------

    async def _open(self, conversation: str, where: KernelLocation, *, start: bool = True) -> Transport:
        transport = await self._find_or_start(conversation, where, start=start)
        try:
            await prepare(transport)
            if isinstance(transport, LocalKernel) and transport.confined and isinstance(where, Local):
                await keep_packages(transport, self._packages(conversation, where))
        except BaseException:
            await asyncio.shield(transport.close(keep=transport.found))
            raise
        return transport

    async def _find_or_start(self, conversation: str, where: KernelLocation, *, start: bool) -> Transport:
        if isinstance(where, Server) and where.attach:
            return await find_or_start.attach(where)
        if isinstance(where, Server):
            path = _path(conversation)
            return await find_or_start.open_kernel(where, path, self._unlisted, start=start)
        if not start:
            raise NoSuchKernel("kernels on this machine end with the process that started them")
        if where.sandbox and self.sandbox is None:
            # Somebody was told that there is one.
            raise KernelNotStarted("it was to run in a sandbox, but none was set up")
        await self._make_room(conversation)
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
        )
        self._confined[conversation] = kernel
        self._refill()
        return kernel

    def _packages(self, conversation: str, where: Local) -> Path:
        """Where a sandboxed kernel installs packages: in its own folder, in a person's own folder not."""
        return Path("~" if where.directory else self.directory(conversation)) / PACKAGES

    def prepare(self, where: KernelLocation) -> None:
        """Have a spare kernel started where the first conversation will want one; returns at once."""
        if isinstance(where, Local):
            self.io_thread.post(self._refill)

    def _refill(self) -> None:
        if self._spare is not None and len(self._live_here()) < self._max_local:
            self._spare.refill()

    def _live_here(self) -> list[Session]:
        return [session for session in self.all() if isinstance(session.where, Local) and session.live]

    def directory(self, conversation: str) -> Path:
        """Return the working directory of a conversation's local kernel."""
        return self._place() / slug(conversation)

    def _place(self) -> Path:
        """The folder of all working directories."""
        if self._root is not None:
            return self._root
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="coderunner-", ignore_cleanup_errors=True)
        return Path(self._temporary.name)

    def folder(self, conversation: str, where: KernelLocation | None = None) -> Path:
        """The folder that a local kernel works in."""
        if where is None and (session := self._sessions.get(conversation)) is not None:
            where = session.where
        chosen = where.directory if isinstance(where, Local) else ""
        return Path(chosen) if chosen else self.directory(conversation)

    async def _make_room(self, conversation: str) -> None:
        others = [session for session in self._live_here() if session.conversation != conversation]
        if len(others) < self._max_local:
            return
        idle = [session for session in others if not session.busy]
        if not idle:
            raise KernelNotStarted(
                f"{len(others)} kernels are already running on this machine and none is idle; stop one"
            )
        await min(idle, key=lambda session: session.used).rest()


def _path(conversation: str) -> str:
    """The path of a conversation's session on a server."""
    return f"coderunner/{slug(conversation)}"


def slug(conversation: str) -> str:
    """Return a name for files and paths that no other conversation has."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", conversation).strip("-")[:40]
    if plain == conversation:
        return plain
    return f"{plain or 'conversation'}-{hashlib.sha256(conversation.encode()).hexdigest()[:12]}"


def _remove_empty(own: Path) -> None:
    """Remove a working directory where the program left nothing in it."""
    for folder in (own / PACKAGES, own):
        with suppress(OSError):
            folder.rmdir()
