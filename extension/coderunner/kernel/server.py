"""A kernel on a Jupyter Server, Hub or Gateway: REST for its life, one WebSocket for its messages."""

import asyncio
import socket
import uuid
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote, urlencode

from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from coderunner.errors import KernelError, ServerUnreachable
from coderunner.kernel.flight import Event, Gone
from coderunner.kernel.messages import SUBPROTOCOL, Message, from_json, from_v1, to_json, to_v1
from coderunner.kernel.ready import wait_until_ready
from coderunner.kernel.rest import Rest, unreachable
from coderunner.kernel.where import Server
from coderunner.outputs import Status

LARGEST_MESSAGE = 256 * 1024 * 1024
"""Bytes of one message: tornado's own 10 MB would cost the connection at the first large picture."""
PING = 10.0
"""Seconds between two pings: a connection that is half open is noticed after at most twice that."""
QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)

DIED = Gone(Status.DIED, "The kernel's process ended on the server.")
REPLACED = Gone(Status.REPLACED, "Somebody restarted or shut down the kernel on the server.")
DELETED = Gone(Status.REPLACED, "The server deleted the kernel.")
LOST = Gone(Status.LOST, "The connection to the Jupyter server was lost.")


class ServerKernel:
    """The transport to a kernel on a server."""

    def __init__(self, rest: Rest, kernel: str, session: str, *, found: bool) -> None:
        self.found = found
        self.language = ""
        self.kernel = kernel
        """The kernel's id on the server."""
        self.ready = False
        """It has answered: from now on its farewells are its own."""
        self._rest = rest
        self._session = session
        self._receive: Callable[[Event], None] = lambda _event: None
        self._gone: Gone | None = None
        self._socket: WebSocketClientConnection | None = None
        self._v1 = False

    # --- messages

    async def connect(self, identity: str) -> None:
        """Open the WebSocket; `identity` is to be the same whenever this conversation connects."""
        url = f"{self._rest.url}/{self._path('channels')}?{urlencode({'session_id': identity})}"
        request = self._rest.request("ws" + url.removeprefix("http"))
        try:
            self._socket = await websocket_connect(
                request,
                on_message_callback=self._on_frame,
                subprotocols=[SUBPROTOCOL],
                max_message_size=LARGEST_MESSAGE,
                ping_interval=PING,
            )
        except HTTPClientError as error:
            if error.code == 599:
                raise unreachable(self._rest.url, error) from None
            raise ServerUnreachable(_BLOCKED.format(url=self._rest.url, code=error.code)) from None
        except Exception as error:
            raise unreachable(self._rest.url, error) from None
        self._v1 = self._socket.selected_subprotocol == SUBPROTOCOL
        protocol = self._socket.protocol
        if protocol is not None:
            protocol.set_nodelay(True)

    def attach(self, receive: Callable[[Event], None]) -> None:
        """Have every event from now on given to `receive`, in the loop."""
        self._receive = receive
        if self._gone is not None:
            receive(self._gone)

    async def send(self, message: Message) -> None:
        """Send one message."""
        if self._socket is None or self._gone is not None:
            return
        self._acknowledge_at_once()
        frame = to_v1(message) if self._v1 else to_json(message)
        try:
            # Not awaited: a link that stalls must not hold up the ladder that ends the cell.
            self._socket.write_message(frame, binary=self._v1)
        except WebSocketClosedError:
            self._end(LOST)

    def _on_frame(self, frame: str | bytes | None) -> None:
        if frame is None:
            self._end(LOST)
            return
        self._acknowledge_at_once()
        message = self._read(frame)
        if message is None:
            return
        self._receive(message)
        gone = verdict(message)
        # Before it is ready, the server may replay what we missed: the end of the program before this one.
        if gone is not None and (self.ready or message.content.get("execution_state") == "dead"):
            self._end(gone)

    def _read(self, frame: str | bytes) -> Message | None:
        if not self._v1:
            return from_json(frame)
        return from_v1(frame) if isinstance(frame, bytes) else None

    def _end(self, gone: Gone) -> None:
        if self._gone is None:
            self._gone = gone
            self._receive(gone)

    def _acknowledge_at_once(self) -> None:
        """Do not delay TCP's acknowledgements.

        Jupyter Server leaves Nagle's algorithm on: it holds back the second message of a cell until the first
        is acknowledged, which Linux does after 40 ms. The option does not last, so it is set again each time.
        """
        stream = getattr(self._socket.protocol, "stream", None) if self._socket is not None else None
        if QUICKACK is not None and stream is not None and stream.socket is not None:
            with suppress(OSError):
                stream.socket.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)

    # --- the kernel's life

    def _path(self, action: str = "") -> str:
        return f"api/kernels/{quote(self.kernel, safe='')}" + (f"/{action}" if action else "")

    async def interrupt(self) -> None:
        """Interrupt the program that runs."""
        await self._rest.ask("POST", self._path("interrupt"))

    async def restart(self) -> None:
        """End the program: the same kernel, empty; or none, where the server cannot restart it."""
        reply = await self._rest.ask("POST", self._path("restart"))
        if reply.status >= 300:
            await self.delete()

    async def check(self) -> Gone | None:
        """Look whether the server still has the kernel."""
        try:
            model = await self._rest.kernel(self.kernel)
        except KernelError:
            return None  # no answer is no verdict: the WebSocket tells when the connection is lost
        if model is None:
            return DELETED
        return DIED if model.get("execution_state") == "dead" else None

    async def close(self, *, keep: bool = False) -> None:
        """Let go; without `keep` the kernel is deleted."""
        self._gone = self._gone or LOST
        if self._socket is not None:
            self._socket.close()
        try:
            # Without a session nobody would find it again.
            if not (keep and self._session):
                await self.delete()
        finally:
            self._rest.close()

    async def delete(self) -> None:
        """Delete the kernel, and its session where it has one."""
        path = f"api/sessions/{quote(self._session, safe='')}" if self._session else self._path()
        with suppress(KernelError):
            await self._rest.ask("DELETE", path)


_BLOCKED = (
    "{url} answers, but refuses the WebSocket to the kernel (HTTP {code}); "
    "a proxy between must pass WebSockets on (the headers Upgrade and Connection)"
)


def verdict(message: Message) -> Gone | None:
    """Tell from a message whether the kernel is no more."""
    if message.type == "shutdown_reply":
        return REPLACED
    if message.type == "status" and not message.parent:
        return DIED if message.content.get("execution_state") in ("restarting", "dead") else None
    return None


async def open_kernel(where: Server, path: str) -> ServerKernel:
    """Find the kernel of a session path on the server, or start one; it is ready when this returns.

    Raises KernelError: NoSuchKernelSpec, KernelNotStarted, or what keeps us from the server.
    """
    rest = Rest(where)
    try:
        language = await rest.require_kernel_spec(where.kernel_name)
        kernel, busy = await find_or_create(rest, where.kernel_name, path)
        kernel.language = language
        try:
            await kernel.connect(uuid.uuid5(uuid.NAMESPACE_URL, f"{rest.url}/{path}").hex)
            if not busy:
                await wait_until_ready(kernel)
            kernel.ready = True
        except BaseException:
            await asyncio.shield(kernel.close(keep=kernel.found))
            raise
    except BaseException:
        rest.close()
        raise
    return kernel


async def find_or_create(rest: Rest, name: str, path: str) -> tuple[ServerKernel, bool]:
    """Give the session's kernel and whether it is busy; a kernel of another name there is replaced."""
    for session in await rest.sessions():
        model = session.get("kernel")
        if session.get("path") != path or not isinstance(model, dict) or not isinstance(model.get("id"), str):
            continue
        kernel = ServerKernel(rest, model["id"], str(session.get("id", "")), found=True)
        if model.get("name") == name and await kernel.check() is None:
            return kernel, model.get("execution_state") == "busy"
        await kernel.delete()
    return await _create(rest, name, path), False


async def _create(rest: Rest, name: str, path: str) -> ServerKernel:
    wanted = {"path": path, "name": path, "type": "console", "kernel": {"name": name}}
    reply = await rest.ask("POST", "api/sessions", wanted)
    model = reply.json if isinstance(reply.json, dict) else {}
    kernel = model.get("kernel")
    if reply.status == 201 and isinstance(kernel, dict) and isinstance(kernel.get("id"), str):
        return ServerKernel(rest, kernel["id"], str(model.get("id", "")), found=False)
    # kernel_gateway has no sessions of its own: it answers 404 or 500.
    return await create_without_session(rest, name)


async def create_without_session(rest: Rest, name: str) -> ServerKernel:
    """Start a kernel that nobody will find again; raises KernelNotStarted."""
    reply = await rest.ask("POST", "api/kernels", {"name": name})
    model = reply.json if isinstance(reply.json, dict) else {}
    if reply.status != 201 or not isinstance(model.get("id"), str):
        raise rest.failed(f"start a kernel {name!r}", reply)
    return ServerKernel(rest, str(model["id"]), "", found=False)
