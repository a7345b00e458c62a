"""What a kernel of this machine is started with: its spec, its command, its environment."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, cast

import zmq.asyncio
from jupyter_client.kernelspec import KernelSpec, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager

from coderunner.errors import KernelNotStarted, NoSuchKernelSpec
from coderunner.kernel.connections.environment_variables import for_kernel
from coderunner.kernel.connections.forking.fork import fork
from coderunner.kernel.connections.forking.forked_process import ForkedProcess
from coderunner.kernel.connections.forking.templates import Templates
from coderunner.kernel.connections.kernel_sockets import Sockets
from coderunner.kernel.connections.kernel_specs import NATIVE, PYTHONS, Specs
from coderunner.sandbox.confinement import Confinement
from coderunner.sandbox.kernel_sandbox import Start

SHUTDOWN = 2.0
"""Seconds for a kernel to end by itself, after which it is killed."""
LAST_WORDS = 1_000_000
"""Characters of what a kernel that did not start has said."""
OFFERED = "tcp" if sys.platform == "win32" else "ipc"
"""What jupyter_client calls the sockets that are offered first: Windows has no others."""
NO_PROGRAM = "kernel {name!r} cannot be started: its program {program!r} is not installed, or not on the PATH"


Fork = Callable[[Sequence[str], dict[str, Any]], Awaitable[ForkedProcess | None]]
"""Gives the process of a kernel by its command and what `Popen` would take; None: it is to be started."""


class KernelManager(AsyncKernelManager):
    """Starts and ends one kernel."""

    templates: Templates | None = None
    """What it may be forked of."""
    fork: Fork | None = None
    forked = False
    """It was forked from a process that had all loaded, the prelude too."""
    above = 0
    """Processes between us and the kernel that have their memory from that one."""

    async def _async_launch_kernel(self, kernel_cmd: list[str], **kw: Any) -> None:  # noqa: ANN401 - Popen's
        process = await self.fork(kernel_cmd, kw) if self.fork is not None else None
        if process is None:
            self.above = 0
            await super()._async_launch_kernel(kernel_cmd, **kw)
            return
        provisioner: Any = self.provisioner
        provisioner.process, provisioner.pid, provisioner.pgid = process, process.pid, process.pid
        self.forked = True


def spec_of(kernel_name: str) -> KernelSpec:
    """Return a kernel spec of this machine; raises NoSuchKernelSpec, with the names there are."""
    specs = Specs()
    try:
        return specs.get_kernel_spec(kernel_name)
    except NoSuchKernel:
        known = ", ".join(specs.names()) or "none; install one with: pip install ipykernel"
        raise NoSuchKernelSpec(
            f"kernel {kernel_name!r} is not installed on this machine; it has: {known}"
        ) from None


def interpreter_of(kernel_name: str) -> str:
    """The program of a kernel, as a rule a Python; raises NoSuchKernelSpec and KernelNotStarted."""
    program = spec_of(kernel_name).argv[0]
    found = sys.executable if program in PYTHONS else shutil.which(program, path=_path(kernel_name == NATIVE))
    if found is None:
        raise KernelNotStarted(NO_PROGRAM.format(name=kernel_name, program=program))
    return found


def manager_of(kernel_name: str, folder: Path, sockets: Sockets) -> KernelManager:
    """Return what starts and ends a kernel, which has its connection file in that folder."""
    return KernelManager(
        kernel_name=kernel_name,
        kernel_spec_manager=Specs(),
        connection_file=str(folder / "kernel.json"),
        transport=OFFERED if sockets is Sockets.FILES else "tcp",
        context=zmq.asyncio.Context.instance(),
        shutdown_wait_time=SHUTDOWN,
    )


def spec(manager: AsyncKernelManager) -> KernelSpec:
    """The kernel's spec, which is this manager's own."""
    return cast("KernelSpec", manager.kernel_spec)  # `spec_of` has found it


def described(manager: AsyncKernelManager, directory: Path | None, sockets: Path, conversation: str) -> Start:
    """What a sandbox needs to know of a kernel. The name `python` means our interpreter, as for Jupyter.

    Raises KernelNotStarted where its program is not there.
    """
    own, environment = spec(manager), environment_of(manager.kernel_name)
    program = (
        sys.executable if own.argv[0] in PYTHONS else shutil.which(own.argv[0], path=environment["PATH"])
    )
    if program is None:
        raise KernelNotStarted(NO_PROGRAM.format(name=manager.kernel_name, program=own.argv[0]))
    own.argv[0] = program
    return Start(
        tuple(own.argv),  # what comes before it later is not its own
        environment,
        sockets,
        directory,
        conversation,
        own.language.lower(),
        own.resource_dir,
    )


def arguments_of(manager: AsyncKernelManager) -> list[str]:
    """What is put behind its command."""
    # IPython's history is one database for all kernels of a user: 7 ms a cell when they all write to it.
    return ["--HistoryManager.enabled=False"] if manager.kernel_name == NATIVE else []


def environment_of(kernel_name: str) -> dict[str, str]:
    """What a kernel knows of our environment."""
    environment = for_kernel(os.environ)
    native = kernel_name == NATIVE
    if native:
        # A host that draws into files says so here; in a kernel, plots are to be shown.
        environment.pop("MPLBACKEND", None)
    environment["PATH"] = _path(native)
    return environment


def _path(native: bool) -> str:  # noqa: FBT001
    """Where programs are found: `!pip` is to mean this interpreter's, whether its environment is activated.

    A kernel that is installed beside it is found there.
    """
    scripts, path = str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)
    return os.pathsep.join([scripts, path] if native else [path, scripts])


async def launch(
    manager: KernelManager,
    directory: Path,
    sockets: Path,
    confinement: Confinement | None,
) -> None:
    """Start the process of a kernel, which says its last words in the folder of its sockets.

    A kernel of our own interpreter is forked where it has `templates`. Raises KernelNotStarted; then no
    process is left.
    """
    own = environment_of(manager.kernel_name)
    before = len(confinement.command) if confinement is not None else 0
    templates = manager.templates
    if templates is not None and manager.kernel_name == NATIVE and manager.transport == "ipc":
        manager.above = 1 if confinement is None else 2
        manager.fork = lambda command, options: fork(templates, own, command[before:], options, confinement)
    # Ours may be a person's terminal, or the line to a client: neither is the program's.
    environment, more = dict(own), {"stdout": subprocess.DEVNULL}
    if confinement is not None:
        spec(manager).argv[:0] = confinement.command
        environment.update(confinement.environment)
        more["stdin"] = confinement.stdin
    try:
        with (sockets / "stderr").open("wb") as stderr:
            starting = asyncio.ensure_future(
                manager.start_kernel(
                    cwd=str(directory),
                    env=environment,
                    stderr=stderr,
                    extra_arguments=arguments_of(manager),
                    **more,
                )
            )
            if confinement is not None:
                await _tell(confinement, manager, starting)
            await starting
    except BaseException as error:
        if confinement is not None:
            confinement.close()
        if isinstance(error, OSError):
            raise KernelNotStarted(f"kernel {manager.kernel_name!r} cannot be started: {error}") from error
        raise


def kill_group(group: int) -> int:
    """End a group of processes; returns it, or 0 where it is gone, and may be somebody else's soon."""
    if group > 1 and hasattr(os, "killpg"):
        try:
            os.killpg(group, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return 0
    return group


def last_words(sockets: Path) -> str:
    """The last thing that a kernel which did not start has said, behind a colon; else nothing."""
    try:
        # No link: what is in the folder of a kernel in a sandbox is the kernel's.
        handle = os.open(sockets / "stderr", os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(handle, errors="replace") as file:
            lines = file.read(LAST_WORDS).strip().splitlines()
    except OSError:
        return ""
    return f": {lines[-1][:300]}" if lines else ""


async def _tell(confinement: Confinement, manager: KernelManager, starting: "asyncio.Future[None]") -> None:
    """Tell a launcher its policy as soon as its process runs; a forked kernel was told when it was forked."""
    # As a rule it runs already: jupyter_client waits on for 10 ms, half of the launcher's time.
    await asyncio.sleep(0)
    if not manager.has_kernel:
        await starting
    if manager.forked:
        return
    try:
        confinement.started()
    except BaseException:
        await starting
        await manager.shutdown_kernel(now=True)
        raise
