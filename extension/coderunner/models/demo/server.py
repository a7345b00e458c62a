"""The demo model as an endpoint of its own, for hosts that offer it."""

import asyncio
import socket

import uvicorn

from coderunner.models.demo.asgi_app import DemoApp

PACE = 0.012
"""Seconds for each of the demo's words: fast, and yet seen to be written."""


class DemoServer:
    """The demo model behind a loopback address, as a real endpoint is."""

    def __init__(self) -> None:
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None
        self._url = ""

    async def start(self) -> str:
        """Serve it, once; returns its base URL."""
        if self._server is None:
            listener = socket.create_server(("127.0.0.1", 0))
            self._url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
            app = DemoApp(delay=PACE)
            config = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
            self._server = uvicorn.Server(config)
            self._task = asyncio.create_task(self._server._serve(sockets=[listener]))
        return self._url

    async def stop(self) -> None:
        """End it, bounded."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await asyncio.wait({self._task}, timeout=2.0)
