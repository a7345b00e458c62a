"""Real servers on loopback for the tests of this room."""

import asyncio
import queue
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import pytest
import uvicorn

from coderunner.models.demo import Asked, Demo, Ended
from coderunner.models.demo_personalities import PERSONALITIES, PLAIN, Personality

App = Callable[..., Awaitable[None]]

WAIT = 10.0
"""Seconds after which a test gives up waiting for the server."""


@dataclass(frozen=True, slots=True)
class Served:
    """A demo model on a socket, with what it saw."""

    url: str
    seen: "queue.SimpleQueue[Asked | Ended]" = field(default_factory=queue.SimpleQueue)
    asked: list[Asked] = field(default_factory=list)

    @property
    def chats(self) -> list[Asked]:
        """The requests for a completion so far."""
        return [each for each in self.asked if each.path.endswith("/chat/completions")]

    def observe(self, event: Asked | Ended) -> None:
        if isinstance(event, Asked):
            self.asked.append(event)
        else:
            self.seen.put(event)

    async def ended(self) -> Ended:
        """Wait for the end of the next streamed reply."""
        event = await asyncio.to_thread(self.seen.get, timeout=WAIT)
        assert isinstance(event, Ended)
        return event


@contextmanager
def listening(app: App) -> Iterator[str]:
    """Serve an ASGI application on a free port of loopback; gives its address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="on")
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    thread = Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(WAIT)
        socket.close()


Serve = Callable[..., Served]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Give a function that serves the demo model as one of the backends."""
    open_servers = []

    def start(personality: Personality | str = PLAIN, **options: Any) -> Served:
        chosen = PERSONALITIES[personality] if isinstance(personality, str) else personality
        served: list[Served] = []
        app = Demo(chosen, observe=lambda event: served[0].observe(event), **options)
        server = listening(app)
        served.append(Served(server.__enter__()))
        open_servers.append(server)
        return served[0]

    yield start
    for server in open_servers:
        server.__exit__(None, None, None)


@dataclass(frozen=True, slots=True)
class Canned:
    """An application that answers every request with the same bytes, and keeps what it was sent."""

    body: bytes | tuple[bytes, ...]
    status: int = 200
    kind: str = "text/event-stream"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    asked: list[MutableMapping[str, Any]] = field(default_factory=list)

    async def __call__(self, scope: MutableMapping[str, Any], receive: App, send: App) -> None:
        if scope["type"] != "http":
            await self._live(receive, send)
            return
        self.asked.append(scope)
        headers = [(b"content-type", self.kind.encode()), *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for piece in self.body if isinstance(self.body, tuple) else (self.body,):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _live(self, receive: App, send: App) -> None:
        for _ in range(2):
            message: Any = await receive()
            await send({"type": f"{message['type']}.complete"})


@pytest.fixture
def canned() -> Iterator[Callable[..., str]]:
    """Give a function that serves the same answer to everybody, and its address."""
    open_servers = []

    def start(body: bytes | tuple[bytes, ...], **options: Any) -> str:
        server = listening(Canned(body, **options))
        open_servers.append(server)
        return server.__enter__()

    yield start
    for server in open_servers:
        server.__exit__(None, None, None)
