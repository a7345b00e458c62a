"""One WebSocket to a kernel on a Jupyter server: frames there and back, and a watch over whether it lives.

A link that breaks is no longer usable; who holds it opens another one.
"""

import asyncio
import logging
import socket
import struct
import sys
from collections.abc import Callable
from urllib.parse import urlencode

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.iostream import StreamClosedError, UnsatisfiableReadError
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError
from tornado.websocket import (
    WebSocketClientConnection,
    WebSocketClosedError,
    WebSocketError,
    websocket_connect,
)

from coderunner.errors import ServerUnreachable
from coderunner.kernel.background_tasks import attempt, log
from coderunner.kernel.connections.servers.refusals import unreachable
from coderunner.kernel.connections.servers.rest_api import RestApi
from coderunner.kernel.execution.deadline import now
from coderunner.kernel.protocol.messages import SUBPROTOCOL, Message, from_json, from_v1, to_json, to_v1

LARGEST_MESSAGE = 256 * 1024 * 1024
"""Bytes of one message: tornado's own 10 MB would cost the connection at the first large picture."""
PING = 10.0
"""Seconds between two pings; a link over which nothing at all has come since the last one is cut."""
OPENING = 60.0
"""Seconds for the first answer: a server reads nothing until a kernel that starts has answered it."""
QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
TCP_INFO: int | None = getattr(socket, "TCP_INFO", None) if sys.platform == "linux" else None
LAST_DATA = 52
"""Where Linux's `struct tcp_info` says how many milliseconds ago the last data came."""

_BLOCKED = (
    "{url} responds, but refuses the WebSocket to the kernel (HTTP {code}); "
    "a proxy in between must forward WebSockets (the headers Upgrade and Connection)"
)
_NO_WEBSOCKET = (
    "{url} responds, but opens no WebSocket to the kernel; "
    "a proxy in between must forward WebSockets (the headers Upgrade, Connection and Sec-WebSocket-Accept)"
)
_NO_HANDSHAKE = (StreamClosedError, HTTPStreamClosedError, UnsatisfiableReadError, WebSocketError)


def _untold(record: logging.LogRecord) -> bool:
    """False for what tornado writes of a request that failed: who waits for it says so in a sentence.

    That is a bad handshake, a response that was cut, and whatever comes of a request that was given up.
    """
    _, error, trace = record.exc_info or (None, None, None)
    if isinstance(error, HTTPStreamClosedError | HTTPTimeoutError):
        return False
    while trace is not None:
        code = trace.tb_frame.f_code
        cut = code.co_name == "on_connection_close" and code.co_filename.endswith("simple_httpclient.py")
        if cut or code.co_name == "_process_server_headers":
            return False
        trace = trace.tb_next
    return True


logging.getLogger("tornado.application").addFilter(_untold)


class KernelWebSocket:
    """The WebSocket, from opening it to the moment when it breaks or is closed."""

    def __init__(
        self, receive: Callable[[Message], None], broken: Callable[["KernelWebSocket"], None]
    ) -> None:
        self._receive = receive
        self._broken = broken
        self._socket: WebSocketClientConnection | None = None
        self._v1 = False
        self._heard = now()
        self._answered = False
        self._pong: asyncio.Future[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._early: list[str | bytes | None] = []
        self._open = False

    async def open(self, rest: RestApi, path: str, identity: str, *, starts: bool = False) -> None:
        """Open it, to a kernel that perhaps still `starts`; raises ServerUnreachable.

        The server keeps what is missed for the same `identity` only.
        """
        url = f"{rest.url}/{path}?{urlencode({'session_id': identity})}"
        request = rest.request("ws" + url.removeprefix("http"))
        # One that starts is waited for elsewhere, with all that belongs to a start.
        request.request_timeout = rest.patience.start + OPENING if starts else rest.patience.handshake
        try:
            self._socket = await _connected(request, self._on_frame)
        except _NO_HANDSHAKE:
            raise ServerUnreachable(_NO_WEBSOCKET.format(url=rest.url)) from None
        except HTTPClientError as error:
            if error.code == 599:
                raise unreachable(rest.url, error) from None
            raise ServerUnreachable(_BLOCKED.format(url=rest.url, code=error.code)) from None
        except Exception as error:
            raise unreachable(rest.url, error) from None
        self._v1 = self._socket.selected_subprotocol == SUBPROTOCOL
        self._socket.on_pong = self._on_pong  # type: ignore[method-assign]
        if self._socket.protocol is not None:
            self._socket.protocol.set_nodelay(True)
        self._open = True
        self._heard = now()
        self._watch = asyncio.get_running_loop().create_task(self._keep_watching())
        early, self._early = self._early, []
        for frame in early:
            self._on_frame(frame)

    def close(self) -> None:
        """Close it; nothing is heard of it any more."""
        self._open = False
        if self._watch is not None:
            self._watch.cancel()
        if self._socket is not None:
            self._socket.close()

    @property
    def alive(self) -> bool:
        """It is open, as far as is known."""
        return self._open

    def give_up(self) -> None:
        """Take it for broken."""
        if self._open:
            self.close()
            self._broken(self)

    # --- frames

    def send(self, message: Message) -> None:
        """Send one message; where the link is broken it goes nowhere."""
        if self._socket is None or not self._open:
            return
        self._acknowledge_at_once()
        frame = to_v1(message) if self._v1 else to_json(message)
        try:
            # Not awaited: a link that stalls must not hold up the ladder that ends the cell.
            self._socket.write_message(frame, binary=isinstance(frame, bytes)).add_done_callback(_looked_at)
        except WebSocketClosedError:
            self.give_up()

    def _on_frame(self, frame: str | bytes | None) -> None:
        if self._watch is None:
            self._early.append(frame)  # it came together with the answer that opens the WebSocket
        elif frame is None:
            self.give_up()
        elif self._open:
            self._heard, self._answered = now(), True
            self._acknowledge_at_once()
            message = self._read(frame)
            if message is not None:
                attempt("a message from a server could not be handled", self._receive, message)

    def _read(self, frame: str | bytes) -> Message | None:
        if not self._v1:
            return from_json(frame)
        return from_v1(frame) if isinstance(frame, bytes) else None

    def _acknowledge_at_once(self) -> None:
        """Do not delay TCP's acknowledgements.

        Jupyter Server leaves Nagle's algorithm on: it holds back the second message of a cell until the first
        is acknowledged, which Linux does after 40 ms. The option does not last, so it is set again each time.
        """
        if QUICKACK is not None and (stream := self._stream) is not None:
            try:  # noqa: SIM105 - for each message, and a context manager takes as long as the call
                stream.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)
            except OSError:
                pass

    # --- whether it still leads anywhere

    @property
    def quiet_for(self) -> float:
        """Seconds since anything came over it, those asleep included."""
        return now() - self._heard

    async def answers(self, within: float) -> bool:
        """Ping, and tell whether anything comes back in time."""
        if self._socket is None or not self._open:
            return False
        self._pong = asyncio.get_running_loop().create_future()
        try:
            self._socket.ping()
            async with asyncio.timeout(within):
                await self._pong
        except (TimeoutError, WebSocketClosedError):
            return self._data_within(within)
        return True

    def _on_pong(self, data: bytes) -> None:
        self._heard, self._answered = now(), True
        if self._pong is not None and not self._pong.done():
            self._pong.set_result(None)

    async def _keep_watching(self) -> None:
        while True:
            await asyncio.sleep(PING)
            try:
                leads = await self.answers(PING if self._answered else OPENING)
            except Exception:
                log.exception("checking whether a connection is alive failed")
                leads = False
            if not leads:
                self.give_up()

    def _data_within(self, seconds: float) -> bool:
        """Return whether data came lately: a pong has to wait behind a large message on a slow link."""
        if self.quiet_for < seconds:
            return True
        stream = self._stream
        if TCP_INFO is None or stream is None:
            return False
        try:
            info = stream.getsockopt(socket.IPPROTO_TCP, TCP_INFO, LAST_DATA + 4)
        except OSError:
            return False
        return len(info) >= LAST_DATA + 4 and struct.unpack_from("I", info, LAST_DATA)[0] < seconds * 1000

    @property
    def _stream(self) -> socket.socket | None:
        stream = getattr(self._socket.protocol, "stream", None) if self._socket is not None else None
        found = getattr(stream, "socket", None)
        return found if isinstance(found, socket.socket) else None


async def _connected(
    request: HTTPRequest, on_frame: Callable[[str | bytes | None], None]
) -> WebSocketClientConnection:
    opening = asyncio.ensure_future(
        websocket_connect(
            request,
            on_message_callback=on_frame,
            subprotocols=[SUBPROTOCOL],
            max_message_size=LARGEST_MESSAGE,
        )
    )
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        # A WebSocket that opens later would take the place of the next one of the same identity.
        opening.add_done_callback(_closed)
        raise


def _closed(opening: "asyncio.Future[WebSocketClientConnection]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _looked_at(sent: "asyncio.Future[None]") -> None:
    """Look at how sending went, so that nobody complains that nobody did: a cut tells itself."""
    if not sent.cancelled():
        sent.exception()
