"""What a kernel of this machine is started with: its spec, its command, its environment."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import cast

import zmq.asyncio
from jupyter_client.kernelspec import KernelSpec, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager

from coderunner.errors import KernelNotStarted, NoSuchKernelSpec
from coderunner.kernel.connections.environment_variables import for_kernel
from coderunner.kernel.connections.kernel_sockets import Sockets
from coderunner.kernel.connections.kernel_specs import NATIVE, PYTHONS, Specs
from coderunner.sandbox.confinement import Confinement
from coderunner.sandbox.kernel_sandbox import Start

SHUTDOWN = 2.0
"""Seconds for a kernel to end by itself, after which it is killed."""
OFFERED = "tcp" if sys.platform == "win32" else "ipc"
"""What jupyter_client calls the sockets that are offered first: Windows has no others."""
NO_PROGRAM = "kernel {name!r} cannot be started: its program {program!r} is not installed, or not on the PATH"


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


def manager_of(kernel_name: str, folder: Path, sockets: Sockets) -> AsyncKernelManager:
    """Return what starts and ends a kernel, which has its connection file in that folder."""
    return AsyncKernelManager(
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
    own, environment = spec(manager), environment_of(manager)
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


def environment_of(manager: AsyncKernelManager) -> dict[str, str]:
    """What it knows of our environment."""
    environment = for_kernel(os.environ)
    # `!pip install` is to mean this interpreter's, whether its environment is activated or not; a kernel
    # that is installed beside it is found there.
    scripts, path = str(Path(sys.executable).parent), environment.get("PATH", os.defpath)
    native = manager.kernel_name == NATIVE
    if native:
        # A host that draws into files says so here; in a kernel, plots are to be shown.
        environment.pop("MPLBACKEND", None)
    environment["PATH"] = os.pathsep.join([scripts, path] if native else [path, scripts])
    return environment


async def launch(
    manager: AsyncKernelManager, directory: Path, sockets: Path, confinement: Confinement | None
) -> None:
    """Start the process of a kernel, which says its last words in the folder of its sockets.

    Raises KernelNotStarted; then no process is left.
    """
    # Ours may be a person's terminal, or the line to a client: neither is the program's.
    environment, more = environment_of(manager), {"stdout": subprocess.DEVNULL}
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


async def _tell(
    confinement: Confinement, manager: AsyncKernelManager, starting: "asyncio.Future[None]"
) -> None:
    """Tell a launcher its policy as soon as its process runs."""
    # As a rule it runs already: jupyter_client waits on for 10 ms, half of the launcher's time.
    await asyncio.sleep(0)
    if not manager.has_kernel:
        await starting
    try:
        confinement.started()
    except BaseException:
        await starting
        await manager.shutdown_kernel(now=True)
        raise
