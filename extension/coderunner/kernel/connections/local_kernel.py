"""A kernel as a child process of ours: jupyter_client starts it, ZeroMQ carries its messages.

On Linux and macOS the sockets are files in a directory that only we can enter; on TCP, any user of the
machine could read what a kernel prints.
"""

import asyncio
import os
import signal
import threading
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import zmq
import zmq.asyncio

from coderunner.errors import KernelNotStarted
from coderunner.kernel.background_tasks import attempt, begin
from coderunner.kernel.connections import kernel_process, kernel_sockets, socket_folders
from coderunner.kernel.connections.channel_sockets import connect, look_for_room
from coderunner.kernel.connections.forking.templates import Templates
from coderunner.kernel.connections.kernel_process import KernelManager, kill_group
from coderunner.kernel.connections.kernel_sockets import Sockets
from coderunner.kernel.connections.kernel_specs import NATIVE
from coderunner.kernel.connections.process_usage import kernel_usage
from coderunner.kernel.connections.readiness import START_TIMEOUT, wait_until_ready
from coderunner.kernel.connections.usage_limits import Excess, excess, over_disk
from coderunner.kernel.connections.watch_pace import WatchPace
from coderunner.kernel.execution.pending_request import Event, Gone
from coderunner.kernel.protocol.kernel_info import KernelInfo
from coderunner.kernel.protocol.messages import Channel, Json, Message, from_zmq, to_zmq
from coderunner.outputs import Status
from coderunner.private_folders import make_private
from coderunner.sandbox.confinement import Confinement
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.sandbox.policy import Grants, Limits

DEATH_RATTLE = 0.05
"""Seconds that output of a dead kernel is still on its way to us."""
BREATH = 64
"""Messages of a flood after which others in the loop have their turn."""

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows ends a process by that one

NO_RELAY = (
    "{error} (a kernel that takes TCP sockets only cannot run in the sandbox of this machine; run it on a "
    "Jupyter server, or set sandbox to off)"
)
WATCH = 0.25
"""Seconds between two looks at what a kernel that starts has made."""

DIED = Gone(Status.DIED, "The kernel's process ended.")


class _SocketsNotTaken(KernelNotStarted):
    """The kernel did not come up, and nothing shows that it took the sockets it was offered."""


class _NotConnected(KernelNotStarted):
    """It may well come up, but we have nothing left to connect to it with."""


class LocalKernel:
    """The transport to a kernel on this machine."""

    found = False
    borrowed = uncertain = False
    process = ""

    def __init__(self, manager: KernelManager, sockets: Path, confinement: Confinement | None = None) -> None:
        self.language: str = getattr(manager.kernel_spec, "language", "").lower()
        self.about = KernelInfo()
        self.prepared = manager.forked
        self._manager = manager
        self._sockets = sockets
        self._confinement = confinement
        self.policy = confinement.walls.policy if confinement is not None else None
        self._key: bytes = manager.session.key
        self._loop = asyncio.get_running_loop()
        self._receive: Callable[[Event], None] = lambda _event: None
        self._ended = False
        self._farewell = DIED
        """What is said when its process has ended."""
        self._pace = WatchPace()
        self.folder: Path | None = None
        """The folder of its conversation, whose files are its own."""
        self._turnstile = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._process: Any = getattr(manager.provisioner, "process", None)
        self._group: int = getattr(manager.provisioner, "pgid", None) or 0
        name = uuid.uuid4().hex.encode()  # the kernel asks the one who sent the cell, by this name
        self._shell = connect(manager, zmq.DEALER, "shell", name)
        self._stdin = connect(manager, zmq.DEALER, "stdin", name)
        self._control: zmq.asyncio.Socket | None = None
        self._iopub = connect(manager, zmq.SUB, "iopub")
        if self._process is not None:
            threading.Thread(target=self._watch, name="coderunner-kernel", daemon=True).start()
        self._listen(self._shell, "shell")
        self._listen(self._stdin, "stdin")
        self._listen(self._iopub, "iopub")

    @property
    def alone(self) -> bool:
        """Nobody else asks it anything, and with our prelude it numbers what it sends and nothing else."""
        return self.about.is_ipykernel

    # --- messages ---------------------------------------------------------------------------------

    def _listen(self, socket: zmq.asyncio.Socket, channel: Channel) -> None:
        begin("the connection to a kernel was lost", self._read(socket, channel), self._tasks)

    async def _read(self, socket: zmq.asyncio.Socket, channel: Channel) -> None:
        count = 0
        while True:
            attempt(
                "a message from a kernel could not be handled",
                self._take,
                await socket.recv_multipart(),
                channel,
            )
            count += 1
            if count % BREATH == 0:
                await asyncio.sleep(0)

    def _take(self, frames: list[bytes], channel: Channel) -> None:
        message = from_zmq(frames, self._key, channel)
        if message is not None:
            self._pace.hear(message.content.get("execution_state"))
            self._receive(message)

    def attach(self, receive: Callable[[Event], None]) -> None:
        """Have every event from now on given to `receive`, in the loop."""
        self._receive = receive
        if self._ended:
            receive(self._farewell)

    def go_on(self) -> None:
        """Do nothing: what was sent to a process that ended is lost with it."""

    async def send(self, message: Message) -> None:
        """Send one message by its channel."""
        if not self._shell.closed:
            self._pace.hear("busy" if message.channel == "shell" else "")
            await self._by(message.channel).send_multipart(to_zmq(message, self._key))

    def _by(self, channel: Channel) -> zmq.asyncio.Socket:
        if channel == "control" and self._control is None:
            # Opened for its first message: most kernels never get one.
            self._control = connect(self._manager, zmq.DEALER, channel)
            self._listen(self._control, channel)
        return {"stdin": self._stdin, "control": self._control}.get(channel) or self._shell

    async def wait_until_ready(self) -> None:
        """Wait for the first answer; raises KernelNotStarted with the last thing that the kernel said."""
        files = self._manager.transport == "ipc"
        watch = begin("nobody looks what a kernel makes", self._watch_files(), self._tasks) if files else None
        try:
            by = self._manager.templates if self.prepared else None
            await wait_until_ready(self, within=by.answers_within if by is not None else START_TIMEOUT)
        except KernelNotStarted as error:
            taken = not files or (not self._ended and kernel_sockets.bound(self._sockets))
            kind = KernelNotStarted if taken else _SocketsNotTaken
            raise kind(f"{error}{kernel_process.last_words(self._sockets)}") from None
        finally:
            if watch is not None:
                watch.cancel()

    async def _watch_files(self) -> None:
        """Give a kernel up that listens somewhere else: it would never answer."""
        while True:
            await asyncio.sleep(WATCH)
            if kernel_sockets.bound(self._sockets) is None:
                return self._mourn()

    # --- the process ------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Wait, in a thread of its own, for the process to end: noticed at once, on every platform."""
        self._process.wait()
        try:
            self._loop.call_soon_threadsafe(self._loop.call_later, DEATH_RATTLE, self._mourn)
        except RuntimeError:
            return  # our loop ended first

    def _mourn(self) -> None:
        self._ended = True
        self._receive(self._farewell)

    def limit(self, limits: Limits, folder: Path | None) -> None:
        """End it as soon as it uses more than `limits`, with all that it started; for the loop.

        `folder` is its own; None: it has none yet, or the person's.
        """
        self.folder = folder
        if self._process is None:
            return
        process, above = self._process.pid, self._manager.above
        temporary = [self.policy.temporary] if self.policy is not None else []
        watches = (
            [excess(process, limits, self._pace, above=above)] if limits.memory or limits.processes else []
        )
        if limits.disk and temporary:
            ours = lambda: [*temporary, *filter(None, [self.folder])]  # noqa: E731
            watches.append(over_disk(process, limits.disk, ours, self._pace))
        for over in watches:
            begin("what a kernel uses is no longer watched", self._end_over(over), self._tasks)

    async def _end_over(self, watching: Awaitable[Excess]) -> None:
        over = await watching
        if self._ended:
            return
        self._farewell = Gone(Status.DIED, f"The kernel was ended: {over.said}.", detail=over.said)
        self._group = kill_group(self._group)
        if self._confinement is not None and self._confinement.backend != "seatbelt":
            return  # its launcher ends the others, and tidies up after them
        for process in over.processes:
            with suppress(OSError):
                os.kill(process, KILL)

    def usage(self) -> Json | None:
        """Tell what its process and all that come from it use together; for the loop."""
        return (
            None
            if self._process is None or self._ended
            else kernel_usage(self._process.pid, above=self._manager.above)
        )

    async def interrupt(self) -> None:
        """Interrupt the program, and the programs it started, as Ctrl-C does."""
        if not self._ended:
            await self._manager.interrupt_kernel()

    async def check(self) -> Gone | None:
        """Return whether the process has ended; as a rule it was noticed already."""
        return self._farewell if self._ended or not await self._manager.is_alive() else None

    @property
    def confined(self) -> bool:
        """It is in a sandbox."""
        return self._confinement is not None

    async def show(self, grants: Grants, conversation: str = "") -> bool:
        """Let the running kernel reach more files, for a `conversation`; False where that takes a new one."""
        if self._confinement is None or self._ended:
            return False
        self._confinement.serve(conversation)
        paths = [(path, False) for path in grants.read] + [(path, True) for path in grants.write]
        return not paths or await self._confinement.show(paths)

    async def answers(self) -> bool:
        """Always True: the connection stays within this machine."""
        return True

    async def restart(self) -> None:
        """Kill the program."""
        self._group = kill_group(self._group)
        await self._shut_down(now=True)

    async def _shut_down(self, *, now: bool) -> None:
        """End the process: whoever restarts it and whoever notices that it ended, one after the other.

        The manager fails where it is asked twice at once.
        """
        async with self._turnstile:
            if self._manager.has_kernel:
                await self._manager.shutdown_kernel(now=now)

    async def close(self, *, keep: bool = False) -> None:
        """End the kernel and all that it started: gently at first, but within two seconds."""
        for task in self._tasks:
            task.cancel()
        for socket in (self._shell, self._stdin, self._iopub, self._control):
            if socket is not None:
                socket.close()
        try:
            await self._shut_down(now=self._ended)
        finally:
            self._group = kill_group(self._group)
            if self._confinement is not None:
                self._confinement.close()
            socket_folders.remove(self._sockets)


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a kernel is started, and under which rules."""

    directory: Path | None
    """Its working directory; None: it waits for one in the folder of its sockets."""
    sandbox: KernelSandbox | None
    limits: Limits
    conversation: str
    templates: Templates | None


async def start(
    kernel_name: str,
    directory: Path | None = None,
    *,
    sandbox: KernelSandbox | None = None,
    limits: Limits | None = None,
    conversation: str = "",
    templates: Templates | None = None,
) -> LocalKernel:
    """Start a kernel in a working directory, or in a place to wait in; it's ready when this returns.

    In a `sandbox` it reaches what that and its `conversation` allow. It is ended when it uses more memory or
    processes than its `limits` allow. It is forked where `templates` can; where that fails it is started, and
    one that does not take the sockets that it is offered first is started once more with others. Raises
    NoSuchKernelSpec and KernelNotStarted.
    """
    look_for_room()
    if directory is not None:
        make_private(directory)
    setting = Setting(directory, sandbox, limits or Limits(processes=0), conversation, templates)
    spec = kernel_process.spec_of(kernel_name)
    if kernel_sockets.first_choice(spec) is Sockets.FILES:
        try:
            return await _start(kernel_name, Sockets.FILES, setting)
        except _SocketsNotTaken as error:
            if kernel_name == NATIVE:
                raise
            if sandbox is not None and not sandbox.relays:
                raise KernelNotStarted(NO_RELAY.format(error=error)) from None
    kernel = await _start(kernel_name, Sockets.TCP, setting)
    kernel_sockets.remember(spec)
    return kernel


async def _start(kernel_name: str, sockets: Sockets, setting: Setting) -> LocalKernel:
    place = socket_folders.make()
    # In a sandbox, TCP is what the kernel has, and a relay gives us files.
    ours = Sockets.FILES if setting.sandbox is not None else sockets
    manager = kernel_process.manager_of(kernel_name, place, ours)
    manager.templates = setting.templates
    try:
        confinement = _confined(manager, place, sockets, setting)
        kernel = await _launch_whole(manager, setting.directory or place, place, confinement)
        try:
            await kernel.wait_until_ready()
        except BaseException:
            await asyncio.shield(kernel.close())
            raise
        theirs = setting.sandbox is not None and setting.sandbox.theirs
        kernel.limit(setting.limits, None if theirs else setting.directory)
        if manager.forked and setting.templates is not None:
            setting.templates.served()
    except BaseException as error:
        socket_folders.remove(place)
        its = isinstance(error, KernelNotStarted) and not isinstance(error, _NotConnected)
        if its and manager.forked and setting.templates is not None:
            setting.templates.fail(error)
            return await _start(kernel_name, sockets, replace(setting, templates=None))
        raise
    return kernel


def _confined(manager: KernelManager, place: Path, sockets: Sockets, setting: Setting) -> Confinement | None:
    """The sandbox that the kernel is started in."""
    sandbox = setting.sandbox
    if sandbox is None:
        return None
    ways = kernel_sockets.relay(manager, place) if sockets is Sockets.TCP else {}
    start = kernel_process.described(manager, setting.directory, place, setting.conversation)
    return sandbox.confine(replace(start, relay=ways))


async def _launch_whole(
    manager: KernelManager, directory: Path, sockets: Path, confinement: Confinement | None
) -> LocalKernel:
    """Launch a kernel; when this is cancelled or fails, no process is left of it."""
    launching = asyncio.ensure_future(kernel_process.launch(manager, directory, sockets, confinement))
    try:
        await asyncio.shield(launching)
    except asyncio.CancelledError:
        # Half a launch is a process that nobody knows: let it come up, then end it.
        await launching
        await asyncio.shield(_give_up(manager, confinement))
        raise
    try:
        return LocalKernel(manager, sockets, confinement)
    except (KernelNotStarted, RuntimeError) as error:  # no socket, or no thread
        await asyncio.shield(_give_up(manager, confinement))
        said = error if isinstance(error, KernelNotStarted) else f"no thread is left for it: {error}"
        raise _NotConnected(str(said)) from error


async def _give_up(manager: KernelManager, confinement: Confinement | None) -> None:
    """End a process to which nobody is connected, with all that it started."""
    group: int = getattr(manager.provisioner, "pgid", None) or 0
    try:
        await manager.shutdown_kernel(now=True)
    finally:
        kill_group(group)
        if confinement is not None:
            confinement.close()
