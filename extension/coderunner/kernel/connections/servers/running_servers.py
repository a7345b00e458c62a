"""The Jupyter servers that this user runs on this machine: each leaves a file that says where it is."""

import asyncio
import os
import stat
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]
from jupyter_core.paths import jupyter_runtime_dir

from coderunner.errors import KernelError, NoSuchKernel, SettingsError
from coderunner.kernel.connections.servers.running_kernels import (
    RunningKernel,
    existing,
    meant,
    processes_without,
)
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.kernel_location import KernelLocation, Patience, Server, location_of
from coderunner.kernel.server_address import is_loopback, lasting
from coderunner.secret_value import Secret
from coderunner.settings.settings import Settings
from coderunner.text.json_reader import loads

LARGEST_FILE = 65_536
"""Bytes of such a file, which has a few hundred."""
ANYWHERE = frozenset({"0.0.0.0", "::", "127.0.0.1"})  # noqa: S104 - to compare with, not to listen on
"""Where a server listens that 127.0.0.1 leads to."""
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


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A Jupyter server of this user's that runs on this machine."""

    where: Server
    folder: str
    """Whose files it shows."""

    def __str__(self) -> str:
        """The server for a person who has to choose one."""
        return f"{self.where.url} · {self.folder}" if self.folder else self.where.url


def running_servers() -> list[RunningServer]:
    """Return the servers that run, each with its token; what may be another user's is left out.

    A file says where a server is. It is believed where this user alone can have written it, and the process
    that it names is theirs and listens on that port: so a token goes to nobody else, whatever is left behind.
    """
    folder = Path(jupyter_runtime_dir())
    try:
        files = sorted(folder.glob("jpserver-*.json"))
    except OSError:
        return []
    found = [_server(file) for file in files]
    return [server for server in found if server is not None]


def with_token(where: Server) -> Server:
    """Return a place with the token that the server at its address left for this user; else as it is."""
    found = None if where.token else _found_at(where)
    return replace(where, token=found.where.token) if found is not None else where


def marked_yours(where: KernelLocation) -> KernelLocation:
    """Return a place that says whether it is a server of this user's on this machine. Looks at the disk."""
    return replace(where, yours=_found_at(where) is not None) if isinstance(where, Server) else where


def _found_at(where: Server) -> RunningServer | None:
    """Return the server that this user runs at an address."""
    with suppress(ValueError):
        spot = _spot(where.url)
        if is_loopback(where.url):
            return next((each for each in running_servers() if spot == _spot(each.where.url)), None)
    return None


def _spot(url: str) -> tuple[str, ...]:
    parts = urlsplit(url)
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
    return parts.scheme, host, str(parts.port), parts.path


def _server(file: Path) -> RunningServer | None:
    told = told_by(file)
    url, token, process = told.get("url"), told.get("token"), told.get("pid")
    if not (isinstance(url, str) and url.startswith(("http:", "https:")) and isinstance(process, int)):
        return None
    address = _address_here(url, process)
    if address is None:
        return None
    where = Server(address, Secret(token if isinstance(token, str) else ""), patience=PATIENCE)
    folder = told.get("root_dir")
    return RunningServer(where, folder if isinstance(folder, str) else "")


def _address_here(url: str, process: int) -> str | None:
    """Return where a process of ours listens, which says that it does so at `url`; None where it does not."""
    try:
        base, parts = lasting(url), urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        heard = {at.ip for at in _listening(process) if at.port == port}
    except (SettingsError, ValueError, OverflowError, psutil.Error):
        return None
    if is_loopback(base):
        return base if heard else None
    # It calls itself by the machine's name, as those do that listen on all addresses.
    return (
        None if heard.isdisjoint(ANYWHERE) else urlsplit(base)._replace(netloc=f"127.0.0.1:{port}").geturl()
    )


def _listening(process: int) -> list[Any]:
    """Return the addresses at which a process of this user listens."""
    one = psutil.Process(process)
    if one.username() != psutil.Process().username():
        return []
    connections = getattr(one, "net_connections", None) or one.connections  # its name before psutil 6
    return [each.laddr for each in connections("tcp") if each.status == psutil.CONN_LISTEN]


def told_by(file: Path) -> dict[str, object]:
    """Return what a server's file says; nothing where it is not ours alone to write."""
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


async def found_kernels() -> list[Found]:
    """Return the kernels of all servers that run on this machine; one that does not answer has none."""
    servers = [each.where for each in await asyncio.to_thread(running_servers)]
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

    A server of this user's there needs no token in them. Blocks. Raises SettingsError where it cannot be a
    place, and NoSuchKernel.
    """
    if settings.attach and not settings.server:
        return replace(io_thread().call(server_with(settings.attach), 4 * PATIENCE.request), yours=True)
    where = location_of(settings)
    return with_token(where) if isinstance(where, Server) else where


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
