"""Which sockets a kernel of this machine is given: files that only we can open, or TCP.

Every kernel is offered files. Not all take them: deno, akernel and xeus-python end at once, others bind
files of other names. Those get TCP on the loopback interface, and from then on first. In a network namespace
of its own a kernel's TCP ports are out of our reach; there a relay beside it listens at the files we know.
"""

import json
import os
import shutil
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
FILE = "kernel-ipc"
"""How the files' names begin, each with its number behind a hyphen, as jupyter_client has it."""
FIRST_PORT = 61_001
"""Of the ports of a kernel in a namespace of its own, where nobody else has any: above those that the system
hands out."""
CONNECTION = "{connection_file}"
"""What stands for the connection file in the command of a kernel spec."""


class Sockets(StrEnum):
    """What a kernel can be given."""

    FILES = "files"
    TCP = "tcp"


@dataclass(frozen=True, slots=True)
class _Known:
    """The kernel specs that take TCP alone, each as it was then: a newer kernel may have learnt it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    found: set[tuple[object, ...]] = field(default_factory=set)


_known = _Known()


def first_choice(spec: KernelSpec) -> Sockets:
    """Return what to give a kernel first."""
    mark = _mark(spec)
    with _known.lock:
        return Sockets.TCP if mark in _known.found else Sockets.FILES


def remember(spec: KernelSpec) -> None:
    """Note that a kernel takes TCP and no files, for as long as neither its spec nor its program changes."""
    mark = _mark(spec)
    with _known.lock:
        _known.found.add(mark)


def _mark(spec: KernelSpec) -> tuple[object, ...]:
    program = shutil.which(spec.argv[0]) or spec.argv[0]
    files = (Path(spec.resource_dir) / "kernel.json" if spec.resource_dir else None, Path(program))
    return (*spec.argv, *sorted(spec.env.items()), *(_time(each) for each in files if each is not None))


def _time(file: Path) -> int:
    with suppress(OSError):
        return file.stat().st_mtime_ns
    return 0


def bound(folder: Path) -> bool | None:
    """Return whether a kernel listens at the files it was given; None: it made others, which is no use to us.

    Libraries of other languages put a colon between address and number, which is TCP's way.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        names = {entry.name for entry in entries if not entry.is_file(follow_symlinks=False)}
        if any(name.startswith(f"{FILE}-") for name in names):
            return True
        return None if any(name.startswith(FILE) for name in names) else False
    return False


def relay(manager: AsyncKernelManager, folder: Path) -> dict[str, int]:
    """Have a kernel that takes TCP alone be reached at the files of its manager; returns what to relay.

    Files are mapped to ports on the loopback interface of the kernel's own namespace. Its command names a
    connection file of its own from now on.
    """
    ports = {name: FIRST_PORT + number for number, name in enumerate(CHANNELS)}
    for number, name in enumerate(CHANNELS, 1):
        setattr(manager, f"{name}_port", number)
    own = folder / "kernel-tcp.json"
    said = {
        **{f"{name}_port": port for name, port in ports.items()},
        "transport": "tcp",
        "ip": "127.0.0.1",
        "key": manager.session.key.decode("ascii"),
        "signature_scheme": manager.session.signature_scheme,
        "kernel_name": manager.kernel_name,
    }
    with os.fdopen(os.open(own, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump(said, file)
    spec = manager.kernel_spec
    if spec is not None:
        spec.argv[:] = [part.replace(CONNECTION, str(own)) for part in spec.argv]
    return {str(folder / f"{FILE}-{number}"): ports[name] for number, name in enumerate(CHANNELS, 1)}
