"""The Jupyter servers that this user runs on this machine: each leaves a file that says where it is."""

import asyncio
import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from jupyter_core.paths import jupyter_runtime_dir

from coderunner.errors import KernelError, NoSuchKernel
from coderunner.kernel.connections.servers.running_kernels import (
    RunningKernel,
    existing,
    meant,
    processes_without,
)
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.kernel_location import KernelLocation, Patience, Server, location_of
from coderunner.kernel.server_address import is_loopback
from coderunner.secret_value import Secret
from coderunner.settings.settings import Settings
from coderunner.text.json_reader import loads

LARGEST_FILE = 65_536
"""Bytes of such a file, which has a few hundred."""
PATIENCE = Patience(request=5.0)
"""A server of this machine answers at once, or is asked in vain."""


@dataclass(frozen=True, slots=True)
class Found:
    """A kernel on a server that was found."""

    kernel: RunningKernel
    server: Server

    def __str__(self) -> str:
        """The kernel for a person who has to choose one."""
        return f"{self.kernel} at {self.server.url}"


def running_servers() -> list[Server]:
    """Return the servers that run, each with its token; what may be another user's is left out."""
    folder = Path(jupyter_runtime_dir())
    try:
        files = sorted(folder.glob("jpserver-*.json"))
    except OSError:
        return []
    found = [_server(file) for file in files]
    return [server for server in found if server is not None]


def _server(file: Path) -> Server | None:
    told = _read(file)
    url, token, process = told.get("url"), told.get("token"), told.get("pid")
    # Whoever wrote it, a token goes to this machine only.
    if not (isinstance(url, str) and url.startswith(("http:", "https:")) and isinstance(process, int)):
        return None
    if not (is_loopback(url) and _ours(process)):
        return None
    return Server(url.rstrip("/"), Secret(token if isinstance(token, str) else ""), patience=PATIENCE)


def _read(file: Path) -> dict[str, object]:
    """Return what a file says, nothing where it is not ours alone to write."""
    try:
        number = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return {}
    with os.fdopen(number, "rb") as opened:
        about = os.fstat(number)
        mine = not hasattr(os, "getuid") or (about.st_uid == os.getuid() and not about.st_mode & 0o022)
        if not stat.S_ISREG(about.st_mode) or not mine:
            return {}
        try:
            told = loads(opened.read(LARGEST_FILE))
        except (OSError, ValueError):
            return {}
    return told if isinstance(told, dict) else {}


def _ours(process: int) -> bool:
    try:
        return bool(psutil.Process(process).username() == psutil.Process().username())
    except psutil.Error:
        return False


async def found_kernels() -> list[Found]:
    """Return the kernels of all servers that run on this machine; one that does not answer has none."""
    servers = await asyncio.to_thread(running_servers)
    listed = await asyncio.gather(*(existing(server) for server in servers), return_exceptions=True)
    return [
        Found(replace(kernel, server=server.url), server)
        for server, kernels in zip(servers, listed, strict=True)
        if not isinstance(kernels, BaseException)
        for kernel in kernels
    ]


async def kernels_here() -> list[RunningKernel]:
    """Return the kernels of this machine, those of its Jupyter servers too, the one used last first."""
    listed = [each.kernel for each in await found_kernels()]
    beside = await asyncio.to_thread(processes_without, {each.id for each in listed})
    return sorted([*listed, *beside], key=lambda each: each.active or 0.0, reverse=True)


def located(settings: Settings) -> KernelLocation:
    """Return the place that the settings name; a kernel without a server is looked for on this machine.

    Blocks. Raises SettingsError where it cannot be a place, and NoSuchKernel.
    """
    if settings.attach and not settings.server:
        return io_thread().call(server_with(settings.attach), 4 * PATIENCE.request)
    return location_of(settings)


async def server_with(name: str) -> Server:
    """Return the server of this machine that has the kernel a person means, attached to it.

    Raises NoSuchKernel, with the kernels there are, where none or several are meant: nothing is guessed.
    """
    every = await found_kernels()
    fitting = []
    for server in dict.fromkeys(each.server for each in every):
        try:
            kernel = meant([each.kernel for each in every if each.server == server], name)
        except KernelError:
            continue
        fitting.append(Found(kernel, server))
    if len(fitting) == 1:
        return replace(fitting[0].server, attach=fitting[0].kernel.id, patience=Patience())
    listed = ", ".join(map(str, fitting or every)) or "none"
    if fitting:
        raise NoSuchKernel(f"{name!r} matches kernels on several servers: {listed}; set the server too")
    raise NoSuchKernel(
        f"no kernel on the Jupyter servers of this machine matches {name!r}; they have: {listed}"
    )
