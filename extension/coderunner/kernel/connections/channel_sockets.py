"""Our ends of a kernel's channels, and whether this process can open as many files as they take."""

import os
from contextlib import suppress
from typing import cast

import zmq
import zmq.asyncio
from jupyter_client.manager import AsyncKernelManager

from coderunner.errors import KernelNotStarted
from coderunner.kernel.protocol.messages import Channel

HANDLES = 32
"""Files that a kernel's start opens at most: a dozen stay open, others are pipes to its process."""
TOO_MANY = (
    "CodeRunner has too many files open for one kernel more; close chats that you do not need, or start it "
    "with a higher limit (ulimit -n)"
)
NO_SOCKET = "the connection to the kernel cannot be opened: {error}"


def look_for_room() -> None:
    """Raise KernelNotStarted where too few files can be opened.

    A kernel that has half of its connections would neither answer nor fail.
    """
    opened = []
    try:
        for _ in range(HANDLES):
            opened.append(os.open(os.devnull, os.O_RDONLY))  # noqa: PERF401 - what was opened is closed again
    except OSError as error:
        raise KernelNotStarted(TOO_MANY) from error
    finally:
        for handle in opened:
            with suppress(OSError):
                os.close(handle)


def connect(
    manager: AsyncKernelManager, kind: int, channel: Channel, name: bytes = b""
) -> zmq.asyncio.Socket:
    """Open a socket to a channel of a kernel, which need not have come up; raises KernelNotStarted."""
    info = dict(manager.get_connection_info())
    separator = ":" if info["transport"] == "tcp" else "-"
    try:
        socket = cast("zmq.asyncio.Socket", manager.context.socket(kind))
        socket.linger = 0
        # The kernel binds its sockets when it has come up: try soon again, not every 100 ms.
        socket.reconnect_ivl = 10
        if name:
            socket.identity = name
        if kind == zmq.SUB:
            socket.rcvhwm = 0
            socket.subscribe(b"")
        socket.connect(f"{info['transport']}://{info['ip']}{separator}{info[f'{channel}_port']}")
    except zmq.ZMQError as error:  # no OSError
        raise KernelNotStarted(NO_SOCKET.format(error=error)) from error
    return socket
