"""How a host listens: its socket, and the moment when it starts to answer."""

import asyncio
import errno
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType

import uvicorn

from coderunner.access.origins import App, Message, Receive, Scope, Send
from coderunner.errors import SettingsError

log = logging.getLogger(__name__)

BACKLOG = 512
"""Connections that wait to be taken, at a Unix socket."""
OF_BODIES = frozenset({b"content-length", b"transfer-encoding"})
"""The headers of requests with a body."""
GRACE = 1
"""Seconds that open connections get at shutdown: a page keeps one for as long as it is open."""


def listen(host: str, port: int, *, further: int = 0) -> socket.socket:
    """Open a socket at `port`, or at one of the next `further` ports if it is taken.

    Raises SettingsError if none of them is free.
    """
    name = host.strip("[]")
    family = socket.AF_INET6 if ":" in name else socket.AF_INET
    for each in range(port, port + further + 1):
        try:
            return socket.create_server(("127.0.0.1" if name == "localhost" else name, each), family=family)
        except OSError as failure:
            reason = failure.strerror
    message = f"cannot listen on port {port} of {host}: {reason}"
    raise SettingsError(message)


def listen_at(path: Path, *, mode: int) -> socket.socket:
    """Open a Unix socket at `path`, with the rights `mode`; one that a dead process has left is replaced.

    Raises SettingsError if it cannot be opened, or another process listens there.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if _left_behind(path):
            path.unlink()
        # Nobody gets in before it has its rights: it listens only after that.
        listener.bind(str(path))
        path.chmod(mode)
        listener.listen(BACKLOG)
    except OSError as failure:
        listener.close()
        message = f"cannot listen at {path}: {failure.strerror or failure}"
        raise SettingsError(message) from None
    return listener


def _left_behind(path: Path) -> bool:
    """Whether a socket is there at which nobody listens. Raises OSError if somebody does."""
    if not path.is_socket():
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        try:
            asking.connect(str(path))
        except ConnectionRefusedError:
            return True
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def address(host: str, listener: socket.socket) -> str:
    """The URL of `listener`, as shown to people."""
    shown = f"[{host.strip('[]')}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


async def serve(
    app: App,
    listener: socket.socket,
    ready: Callable[[], Awaitable[None]],
    *,
    drain: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Serve `app` until SIGINT or SIGTERM; `ready` is called once it answers.

    With `drain`, it is called at the first SIGTERM, and the app is served until it has returned; a second
    signal ends that at once. Raises the error that kept the app from starting or from shutting down cleanly.
    """
    lifespan: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            coming = _Coming(receive, scope)
            try:
                await app(scope, coming, send)
            except Exception:
                if coming.broken_off:
                    return  # nobody is there to be answered, and nothing has failed here
                # Whoever asked gets a 500 without a word of why; uvicorn itself is kept quiet.
                log.exception("%s failed in CodeRunner", scope.get("path", "a request"))
                raise
            return
        try:
            await app(scope, receive, send)
            lifespan.set_result(None)
        except Exception as failure:
            lifespan.set_exception(failure)
            raise

    config = uvicorn.Config(watched, log_level="critical", access_log=False, timeout_graceful_shutdown=GRACE)
    server = _AnnouncingServer(config, ready, drain)
    with suppress(SystemExit):  # raised by some versions when the app does not start; others just return
        await server.serve(sockets=[listener])
    if lifespan.done() or not server.started:
        await lifespan


class _Coming:
    """What a client sends; knows whether it left before its request was whole."""

    def __init__(self, receive: Receive, scope: Scope) -> None:
        self._receive = receive
        # What has no body is whole from the first: its failures are told also where the client has left.
        self._whole = not any(name in OF_BODIES for name, _ in scope.get("headers", ()))
        self.broken_off = False

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._whole = not message.get("more_body", False)
        elif message["type"] == "http.disconnect":
            self.broken_off = not self._whole
        return message


class _AnnouncingServer(uvicorn.Server):
    """A server that calls `ready` once it answers."""

    def __init__(
        self,
        config: uvicorn.Config,
        ready: Callable[[], Awaitable[None]],
        drain: Callable[[], Awaitable[None]] | None,
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._drain = drain
        self._draining: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then call `ready`."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            await self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End, at the first SIGTERM after what `drain` waits for."""
        if self._drain is None or self._loop is None or sig != signal.SIGTERM or self.should_exit:
            super().handle_exit(sig, frame)
        else:
            drain, self._drain = self._drain, None
            self._loop.call_soon_threadsafe(self._begin_to_end, drain)

    def _begin_to_end(self, drain: Callable[[], Awaitable[None]]) -> None:
        self._draining = asyncio.ensure_future(self._end(drain))

    async def _end(self, drain: Callable[[], Awaitable[None]]) -> None:
        try:
            await drain()
        finally:
            self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close everything; nothing is waited for any more."""
        if self._draining is not None:
            self._draining.cancel()
        await super().shutdown(sockets)
