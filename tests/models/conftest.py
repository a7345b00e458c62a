"""Real servers on loopback for the tests of this room."""

import asyncio
import json
import queue
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from threading import Thread
from typing import Any

import pytest
import uvicorn

from coderunner.models.demo.asgi_app import Asked, DemoApp, Ended
from coderunner.models.demo.server_profiles import PROFILES, ServerProfile

App = Callable[..., Awaitable[None]]

WAIT = 30.0
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
    # It listens from here on, so whoever connects before the server runs waits for it.
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on", ws="none"))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(WAIT)
        listener.close()


Serve = Callable[..., Served]


class Relay:
    """Tells the test that runs now what a server sees, so that a server can serve many tests."""

    def __init__(self) -> None:
        self.served: Served | None = None

    def observe(self, event: Asked | Ended) -> None:
        if self.served:
            self.served.observe(event)


Pool = Callable[[str], tuple[str, Relay]]


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    """Give a function that finds the server of a personality, started at its first use."""
    with ExitStack() as servers:

        @cache
        def find(name: str) -> tuple[str, Relay]:
            relay = Relay()
            app = DemoApp(PROFILES[name], observe=relay.observe)
            return servers.enter_context(listening(app)), relay

        yield find


@pytest.fixture
def serve(pool: Pool) -> Iterator[Serve]:
    """Give a function that serves the demo model as one of its personalities.

    One with options of its own has a server of its own, whose streams nobody else can end.
    """
    with ExitStack() as servers:

        def start(profile: ServerProfile | str = "demo", **options: Any) -> Served:
            if isinstance(profile, str) and not options:
                url, relay = pool(profile)
            else:
                relay = Relay()
                chosen = PROFILES[profile] if isinstance(profile, str) else profile
                url = servers.enter_context(listening(DemoApp(chosen, observe=relay.observe, **options)))
            relay.served = Served(url)
            return relay.served

        yield start


@dataclass(frozen=True, slots=True)
class Canned:
    """An application that answers every request with the same bytes, and keeps what it was sent."""

    body: bytes | tuple[bytes, ...]
    status: int = 200
    kind: str = "text/event-stream"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    asked: list[MutableMapping[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def __call__(self, scope: MutableMapping[str, Any], receive: App, send: App) -> None:
        if scope["type"] != "http":
            await self._live(receive, send)
            return
        self.asked.append(scope)
        self.bodies.append(await self._read(receive))
        headers = [(b"content-type", self.kind.encode()), *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for piece in self.body if isinstance(self.body, tuple) else (self.body,):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _read(self, receive: App) -> bytes:
        data, more = b"", True
        while more:
            message: Any = await receive()
            data, more = data + message.get("body", b""), message.get("more_body", False)
        return data

    async def _live(self, receive: App, send: App) -> None:
        for _ in range(2):
            message: Any = await receive()
            await send({"type": f"{message['type']}.complete"})


@dataclass
class Scripted:
    """An endpoint that answers each request for a reply with the next of these, at last with the last one.

    An answer is the text of a whole reply, or the status of an error; bytes are sent as they are.
    """

    answers: list[str | int | bytes]
    asked: list[bytes] = field(default_factory=list)

    async def __call__(self, scope: MutableMapping[str, Any], receive: App, send: App) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/chat/completions"):
            answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
            # Noted as soon as it is read: who has the answer may look at once.
            app = Canned(*_written(answer), bodies=self.asked)
        else:
            app = Canned(b"{}", kind="application/json")
        await app(scope, receive, send)


def _written(answer: str | int | bytes) -> tuple[bytes, int]:
    if isinstance(answer, int):
        return b'{"error": {"message": "no room"}}', answer
    if isinstance(answer, bytes):
        return answer, 200
    chunk = {"choices": [{"index": 0, "delta": {"content": answer}, "finish_reason": None}]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\ndata: [DONE]\n\n", 200


Can = Callable[..., str]


@pytest.fixture
def canned() -> Iterator[Can]:
    """Give a function that serves the same answer to everybody, and its address."""
    with ExitStack() as servers:

        def start(body: bytes | tuple[bytes, ...], **options: Any) -> str:
            return servers.enter_context(listening(Canned(body, **options)))

        yield start
