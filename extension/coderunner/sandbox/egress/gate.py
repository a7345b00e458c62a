"""One kernel's way to the proxy: where it listens, and what the kernel has to know of it."""

import array
import asyncio
import hmac
import secrets
import socket
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from coderunner.sandbox.egress.answers import answer
from coderunner.sandbox.egress.client_connection import Rules, serve
from coderunner.sandbox.egress.dialling import PIECE
from coderunner.sandbox.launcher.way_out import PORT

MOST_CONNECTIONS = 128
"""Connections of one kernel at a time; each holds up to about 800 kB."""
MOST_TOGETHER = 256
"""The same of all kernels: two file descriptors each, of the thousand that a process has."""
LOOPBACK = "127.0.0.1"
USER = "kernel"


class Gate:
    """One kernel's way to the proxy. To be used in the loop; close it when the kernel has ended."""

    def __init__(
        self,
        conversation: str,
        rules: Callable[[Callable[[], str]], Rules],
        variables: Mapping[str, str],
        everybody: set[asyncio.Task[None]],
        *,
        password: str = "",
    ) -> None:
        """`everybody`: the connections of all gates."""
        self.conversation = conversation
        """Whom the kernel works for now: a spare one gets its conversation later."""
        self.port = PORT
        """Where the kernel finds the proxy, on the loopback interface."""
        self._rules = rules(lambda: self.conversation)
        self._variables = variables
        self._password = password
        self._server: asyncio.Server | None = None
        self._waiting: socket.socket | None = None
        self._path: Path | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._everybody = everybody
        self._closed = False

    @property
    def environment(self) -> dict[str, str]:
        """The variables that tell programs in the kernel of the proxy and of the package indexes."""
        user = f"{USER}:{self._password}@" if self._password else ""
        proxy = f"http://{user}{LOOPBACK}:{self.port}"
        # What listens on the kernel's own loopback interface is its own: a server that the code has started.
        named = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), proxy) | {
            "NO_PROXY": "localhost,127.0.0.1,::1"
        }
        return {**self._variables, **named, **{name.lower(): value for name, value in named.items()}}

    def listen(self) -> None:
        """Listen on a loopback port of this machine. Raises OSError."""
        listener = socket.create_server((LOOPBACK, 0))
        listener.settimeout(0)
        self.port = listener.getsockname()[1]
        self._begin(self._serve_at(listener))

    def wait_at(self, path: Path) -> None:
        """Wait at a Unix socket for the listening socket that a launcher makes. Raises OSError."""
        self._waiting = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._waiting.bind(str(path))
        self._path = path
        asyncio.get_running_loop().add_reader(self._waiting, self._take)

    def _take(self) -> None:
        """Take one listening TCP socket; whatever else comes, nothing does any more."""
        if self._waiting is None:
            return
        handles = array.array("i")
        with suppress(OSError):
            room = socket.CMSG_SPACE(8 * handles.itemsize)
            _, messages, _, _ = self._waiting.recvmsg(1, room, socket.MSG_CMSG_CLOEXEC)
            for level, kind, data in messages:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    handles.frombytes(data[: len(data) - len(data) % handles.itemsize])
        self._stop_waiting()
        sockets = [socket.socket(fileno=handle) for handle in handles]
        for each in sockets:
            if self._server is None and _listens(each) and len(sockets) == 1:
                each.settimeout(0)
                self._begin(self._serve_at(each))
            else:
                each.close()

    async def _serve_at(self, listener: socket.socket) -> None:
        self._server = await asyncio.start_server(self._enter, sock=listener, limit=PIECE)
        if self._closed:
            self._server.close()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._everybody.add(task)
        task.add_done_callback(self._everybody.discard)

    def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._closed:
            writer.transport.abort()
        elif len(self._tasks) >= MOST_CONNECTIONS or len(self._everybody) >= MOST_TOGETHER:
            writer.write(answer(503, "There are too many connections; close some"))
            writer.close()
        else:
            self._begin(serve((reader, writer), self._rules, self._admits))

    def _admits(self, user: str, password: str) -> bool:
        given, wanted = f"{user}:{password}".encode(), f"{USER}:{self._password}".encode()
        return not self._password or hmac.compare_digest(given, wanted)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            asyncio.get_running_loop().remove_reader(self._waiting)
            self._waiting.close()
            self._waiting = None
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink()
            self._path = None

    def close(self) -> None:
        """End every connection, and take no more."""
        self._closed = True
        self._stop_waiting()
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()


def new_password() -> str:
    """A password that nobody guesses, of characters that a URL takes as they are."""
    return secrets.token_urlsafe(24)


def _listens(found: socket.socket) -> bool:
    return (found.family, found.type) == (socket.AF_INET, socket.SOCK_STREAM) and bool(
        found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    )
