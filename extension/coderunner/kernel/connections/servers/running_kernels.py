"""The kernels that there are, whoever started them: what they are for, how they stand, what they take."""

import asyncio
import re
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from coderunner.errors import NoSuchKernel
from coderunner.kernel.connections.servers.rest_api import RestApi
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.kernel_location import KernelLocation, Local, Server
from coderunner.kernel.server_address import is_loopback

OURS = re.compile(r"(?:coderunner/|(?:.*/)?coderunner-)([\w-]+)", re.ASCII)
"""The path of a session of ours on a server: in a folder of its own, or in one that a person has chosen."""
SHORT = 8
"""Characters of an id that tell a server's kernels apart for people."""

_CONNECTION = re.compile(r"(?:kernel-)?([\w-]+)\.json")


@dataclass(frozen=True, slots=True)
class RunningKernel:
    """A kernel that runs."""

    id: str
    """On a server its id there, on this machine that of its process."""
    kernel_name: str
    """Its kernel spec; empty where nobody says it."""
    state: str
    """What it does: idle, busy, starting, …; empty where nobody says it."""
    path: str
    """The notebook, or the session of ours, that it is for; on this machine where it works."""
    active: float | None
    """When something last happened in it, in seconds since 1970; on this machine when it was started."""
    memory: int | None = None
    """Bytes; None where nobody says it."""
    server: str = ""
    """The address of the server that has it, where nobody named one; empty elsewhere."""

    @property
    def conversation(self) -> str:
        """The conversation of ours that it is for, as its path spells it; empty where it is another's."""
        ours = OURS.fullmatch(self.path)
        return ours[1] if ours else ""

    def __str__(self) -> str:
        """The kernel for a person who has to choose one."""
        return f"{self.id[:SHORT]} ({self.path or self.kernel_name})"


async def existing(where: KernelLocation) -> list[RunningKernel]:
    """Return the kernels at a place, the one that was used last first.

    May be awaited in any loop. Raises KernelError.
    """
    return await io_thread().run(_existing(where))


async def _existing(where: KernelLocation) -> list[RunningKernel]:
    if isinstance(where, Local):
        found = await asyncio.to_thread(_here)
    else:
        found = await _there(where)
    return sorted(found, key=lambda each: each.active or 0.0, reverse=True)


async def _there(where: Server) -> list[RunningKernel]:
    rest = RestApi(where)
    try:
        found = await on_server(rest)
    finally:
        rest.close()
    if not is_loopback(rest.url):
        return found
    # The server does not say what its kernels take; on this machine their processes do.
    memory = {name: process.memory for name, process in (await asyncio.to_thread(_processes)).items()}
    return [replace(each, memory=memory.get(each.id)) for each in found]


async def on_server(rest: RestApi) -> list[RunningKernel]:
    """Return the kernels of a server."""
    paths = {}
    for session in await rest.sessions():
        kernel = session.get("kernel")
        if isinstance(kernel, dict):
            paths[kernel.get("id")] = path_of(session) or str(session.get("name") or "")
    models = [model for model in await rest.kernels() if isinstance(model.get("id"), str)]
    return [_existing_of(model, paths.get(model["id"], "")) for model in models]


def path_of(session: Mapping[str, object]) -> str:
    """Return the path of a server's session: gateways have it where the first version of the API had it."""
    notebook = session.get("notebook")
    older = notebook.get("path") if isinstance(notebook, dict) else None
    return str(session.get("path") or older or "")


def _existing_of(model: Mapping[str, object], path: str) -> RunningKernel:
    name, state = str(model.get("name", "")), str(model.get("execution_state", ""))
    return RunningKernel(str(model["id"]), name, state, path, _moment(model.get("last_activity")))


def _moment(spelt: object) -> float | None:
    try:
        return datetime.fromisoformat(str(spelt)).timestamp()
    except ValueError:
        return None


def meant(kernels: Iterable[RunningKernel], name: str) -> RunningKernel:
    """Return the kernel that a person means by an id, its beginning, or the path or name of a notebook.

    Raises NoSuchKernel, with the kernels there are, where none or several are meant.
    """
    every = list(kernels)
    for fits in (
        [each for each in every if name in (each.id, each.path)],
        [each for each in every if each.id.startswith(name) or Path(each.path).name == name],
    ):
        if len(fits) == 1:
            return fits[0]
        if fits:
            raise NoSuchKernel(f"{name!r} matches several kernels: {_listed(fits)}; use an id")
    raise NoSuchKernel(f"no kernel on this server matches {name!r}; it has: {_listed(every) or 'none'}")


def _listed(kernels: Iterable[RunningKernel]) -> str:
    return ", ".join(map(str, kernels))


# --- on this machine


@dataclass(frozen=True, slots=True)
class _Process:
    number: int
    memory: int
    started: float
    directory: str


def _here() -> list[RunningKernel]:
    return processes_without(())


def processes_without(known: Collection[str]) -> list[RunningKernel]:
    """Return the kernels of this machine by their processes, without those of which a server told, by id."""
    return [
        RunningKernel(str(each.number), "", "", each.directory, each.started, each.memory)
        for name, each in _processes().items()
        if name not in known
    ]


def _processes() -> dict[str, _Process]:
    """The ipykernels of this user, by the name of their connection file, which is the id on a server."""
    found = {}
    us = psutil.Process().username()
    for process in psutil.process_iter():
        try:
            if process.username() != us or (name := _kernel_in(process.cmdline())) is None:
                continue
            memory, started = process.memory_info().rss, process.create_time()
            found[name or str(process.pid)] = _Process(process.pid, memory, started, _folder(process))
        except psutil.Error:
            continue  # it has ended, or is none of our business
    return found


def _folder(process: psutil.Process) -> str:
    """Where a process works, as it calls the place itself: in a sandbox its root is another one than ours."""
    folder, root = "", ""
    with suppress(psutil.AccessDenied):  # in a sandbox
        folder = process.cwd()
    with suppress(OSError):
        root = str(Path(f"/proc/{process.pid}/root").readlink()).rstrip("/")
    return folder.removeprefix(root) if folder.startswith(f"{root}/") else folder


def _kernel_in(command: list[str]) -> str | None:
    """The name of the connection file in a kernel's command line; None where it is no kernel's."""
    if "ipykernel_launcher" not in command and "ipykernel" not in command:
        return None
    spelt = next((word for word in command if word.endswith(".json")), "")
    file = _CONNECTION.fullmatch(Path(spelt).name)
    # Ours are all called kernel.json, each in a folder of its own.
    return file[1] if file and file[1] != "kernel" else spelt or None


def ago(moment: float | None) -> str:
    """How long ago a moment was, for people."""
    if moment is None:
        return "-"
    seconds = max(time.time() - moment, 0)
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
