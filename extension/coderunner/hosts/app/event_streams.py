"""Gradio's stream of events over a socket.

Each page has a stream open all the time. Over HTTP/1.1 browsers open six connections to a host, so further
tabs would wait for ever; sockets they count apart.
"""

import asyncio
import contextlib
from collections.abc import Callable, MutableMapping
from typing import Any

from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from coderunner.page.server.routes import PROTOCOL, Rights

ROUTE = "/coderunner/stream"

STREAM = "/gradio_api/queue/data"
"""What is passed on, and nothing else."""

UNTOLD = frozenset({b"accept-encoding", b"connection", b"upgrade"})
"""Headers of the socket alone; what is compressed would come late."""


class EventStreams:
    """Asks the app itself for a page's stream, and passes it on through a socket as it comes."""

    def __init__(self, app: ASGIApp, rights: Rights, left: Callable[[str], None]) -> None:
        """`left` is called with the Gradio session of a page that has gone."""
        self._app = app
        self._rights = rights
        self._left = left

    async def socket(self, socket: WebSocket) -> None:
        """One stream: first its HTTP status, then its text; the page that leaves ends it."""
        offered = socket.scope.get("subprotocols") or []
        token = next((each for each in offered if each != PROTOCOL), "")
        allowed = (
            len(offered) == 2 and PROTOCOL in offered and self._rights.admit(socket.scope, token) is not None
        )
        if not allowed:
            await socket.close(1008)
            return
        await socket.accept(PROTOCOL)
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the page has left
            await self._ask(socket)
            await socket.close()

    async def _ask(self, socket: WebSocket) -> None:
        left = asyncio.Event()
        listening = asyncio.create_task(_until_left(socket, left))
        begun = False

        async def receive() -> MutableMapping[str, Any]:
            nonlocal begun
            if not begun:
                begun = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(event: MutableMapping[str, Any]) -> None:
            if left.is_set():
                return
            if event["type"] == "http.response.start":
                await socket.send_text(str(event["status"]))
            elif body := event.get("body"):
                await socket.send_bytes(body)

        try:
            await self._app(_request(socket), receive, send)
        finally:
            listening.cancel()
            if left.is_set():
                self._left(socket.query_params.get("session_hash", ""))


async def _until_left(socket: WebSocket, left: asyncio.Event) -> None:
    """Wait until the page has left; it says nothing here."""
    try:
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass
    finally:
        left.set()


def _request(socket: WebSocket) -> MutableMapping[str, Any]:
    """The request for the stream, of the same browser."""
    scope = socket.scope
    path = str(scope.get("root_path", "")).rstrip("/") + STREAM
    headers = [(name, value) for name, value in scope["headers"] if not _is_of_the_socket(name)]
    return {
        "type": "http",
        "asgi": scope["asgi"],
        "http_version": "1.1",
        "method": "GET",
        "scheme": {"wss": "https", "ws": "http"}.get(scope["scheme"], scope["scheme"]),
        "path": path,
        "raw_path": path.encode(),
        "root_path": scope.get("root_path", ""),
        "query_string": scope["query_string"],
        "headers": [*headers, (b"accept", b"text/event-stream")],
        "client": scope.get("client"),
        "server": scope.get("server"),
        "state": {},
    }


def _is_of_the_socket(name: bytes) -> bool:
    return name.lower() in UNTOLD or name.lower().startswith(b"sec-websocket")
