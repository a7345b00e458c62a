"""How a host listens: its socket, and the moment when it starts to answer."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

import uvicorn

from coderunner.access.origins import App, Receive, Scope, Send
from coderunner.errors import SettingsError

log = logging.getLogger(__name__)

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


def address(host: str, listener: socket.socket) -> str:
    """The URL of `listener`, as shown to people."""
    shown = f"[{host.strip('[]')}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


async def serve(app: App, listener: socket.socket, ready: Callable[[], Awaitable[None]]) -> None:
    """Serve `app` until SIGINT or SIGTERM; `ready` is called once it answers.

    Raises the error that kept the app from starting or from shutting down cleanly.
    """
    lifespan: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            try:
                await app(scope, receive, send)
            except Exception:
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
    server = _AnnouncingServer(config, ready)
    with suppress(SystemExit):  # raised by some versions when the app does not start; others just return
        await server.serve(sockets=[listener])
    if lifespan.done() or not server.started:
        await lifespan


class _AnnouncingServer(uvicorn.Server):
    """A server that calls `ready` once it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then call `ready`."""
        await super().startup(sockets)
        if self.started:
            await self._ready()
