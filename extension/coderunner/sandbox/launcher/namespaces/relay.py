"""The way in for a kernel that listens on TCP only, which nobody outside of its network namespace reaches.

A process beside the kernel listens at Unix sockets in the folder that both sides see, and carries bytes. It
knows nothing of what they say, and may no more than the kernel.
"""

from __future__ import annotations

import _socket
import _thread
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # the import of typing takes as long as all the rest
    from typing import NoReturn

PIECE = 65_536
"""Bytes that are carried at once."""
BACKLOG = 16
PAUSE = 0.01
"""Seconds until a kernel that does not listen yet is tried again."""
PATIENCE = 300.0
"""Seconds for it to begin."""
LOOPBACK = "127.0.0.1"


def run(ways: dict[str, int]) -> NoReturn:
    """Carry what comes to each path on to its port, and back, until the sandbox ends. Raises OSError."""
    listeners = [(_listen(path), port) for path, port in ways.items()]
    for listener, port in listeners[1:]:
        _thread.start_new_thread(_serve, (listener, port))
    _serve(*listeners[0])
    os._exit(0)


def _listen(path: str) -> _socket.socket:
    listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(BACKLOG)
    return listener


def _serve(listener: _socket.socket, port: int) -> None:
    while True:
        try:
            handle, _ = listener._accept()  # type: ignore[attr-defined]  # what socket.accept is made of
        except OSError:
            time.sleep(PAUSE)
            continue
        _thread.start_new_thread(_join, (_socket.socket(fileno=handle), port))


def _join(ours: _socket.socket, port: int) -> None:
    """Carry one connection, which waits for the kernel to listen; both ends are closed at its end."""
    theirs = None
    try:
        theirs = _reached(port)
        _thread.start_new_thread(_carry, (theirs, ours))
        _carry(ours, theirs)
    except OSError:
        ours.close()
        if theirs is not None:
            theirs.close()


def _reached(port: int) -> _socket.socket:
    until = time.monotonic() + PATIENCE
    while True:
        found = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        try:
            found.connect((LOOPBACK, port))
        except OSError:
            found.close()
            if time.monotonic() > until:
                raise
            time.sleep(PAUSE)
        else:
            found.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            return found


def _carry(source: _socket.socket, target: _socket.socket) -> None:
    try:
        while piece := source.recv(PIECE):
            target.sendall(piece)
    except OSError:
        pass
    # The other direction ends with this one: a program that closes one of them wants neither.
    for each in (source, target):
        try:
            each.shutdown(2)
        except OSError:
            pass
