"""The program of the template: loads, says what came of it, and forks a kernel for each message."""

from __future__ import annotations

import marshal
import os
import signal
import socket
from functools import partial
from typing import TYPE_CHECKING, Any

from coderunner.kernel.template import alone, become, clone, loading
from coderunner.sandbox.launcher import forked
from coderunner.sandbox.launcher.entry.main import wall_in

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST = 1_000_000
"""Bytes of a message."""
BROKEN = 125


def main() -> Callable[[], None]:
    """Serve until nobody is there; returns in each forked kernel alone, with what makes it one."""
    # Kernels are interrupted, we are not.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = _control()
    told = marshal.loads(control.recv(LARGEST))
    prelude = become.Prelude(*told["prelude"])
    marks = loading.marks()
    try:
        loaded = loading.load(told["usual"], told["wanted"], {control.fileno()})
    except loading.Unforkable as error:
        control.send(marshal.dumps({"refused": list(error.args)}))
        os._exit(0)
    found = {"missing": loaded.missing, "asked": loaded.asked, "marks": marks}
    control.send(marshal.dumps(found))
    channel, said = _next(control)
    control.close()
    os.dup2(said, 2)
    os.close(said)
    os.setsid()
    command = _walled(channel, loaded.variables)
    return partial(become.kernel, command, prelude, loaded)


def _control() -> socket.socket:
    """The socket that we got as standard input, which is empty from now on."""
    control = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return control


def _next(control: socket.socket) -> list[int]:
    """Fork at each message; returns in a forked process alone, with the two descriptors of the message."""
    while True:
        message, handles, _, _ = socket.recv_fds(control, 1, 2)
        if not message:
            os._exit(0)
        try:
            child = clone.clone()
        except OSError as error:
            child = -(error.errno or 1)
        if not child:
            return handles
        for handle in handles:
            os.close(handle)
        control.send(child.to_bytes(8, "little", signed=True))


def _walled(channel: int, variables: dict[str, str]) -> list[str]:
    """Read what the kernel is to be, and return in its process alone; the one above it stays here."""
    try:
        start: dict[str, Any] = _read(channel)
        os.environ.clear()
        os.environ.update({**variables, **start["environment"]})
        if start["sandboxed"]:
            wall_in(_read(channel), forked.leave, channel)
        else:
            alone.run(start["folder"], channel)
    except forked.Forked:
        pass
    except OSError as error:
        os.write(2, f"the sandbox cannot be set up: {error}\n".encode())
        os._exit(BROKEN)
    command: list[str] = start["command"]
    return command


def _read(channel: int) -> Any:
    told = os.read(channel, LARGEST)
    if not told:
        os._exit(BROKEN)  # whoever wanted it is gone
    return marshal.loads(told)
