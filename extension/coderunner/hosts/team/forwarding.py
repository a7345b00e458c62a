"""Requests and WebSockets, handed on to the app of one person and back as they are."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Origin, Subprotocol

from coderunner.access.origins import Header, Message, Receive, Scope, Send, host_of
from coderunner.hosts.team.app_connection import CHUNKED, AppConnection, BrokenOffError
from coderunner.hosts.team.handover import KEY_HEADER
from coderunner.hosts.team.person_process import PersonProcess

OF_ONE_WAY = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Headers about one connection and not about what it carries (RFC 9110, section 7.6.1)."""
OF_PROXIES = (b"x-forwarded-", b"x-coderunner-proxy-", b"x-coderunner-key")
"""Beginnings of headers that proxies add: the app hears ours, and never a person's."""
SOCKETS_OWN = (b"sec-websocket-", b"host", b"origin")


class GoneError(Exception):
    """The app has ended, or does not answer."""


class Forwarding:
    """Hands on what a person's browser asks, and what the app answers."""

    def __init__(self, scheme: str, named: str) -> None:
        """`scheme`: http or https, as browsers see it. `named`: the header with the person's name."""
        self.scheme = scheme
        self._named = named.lower().encode()

    async def request(self, app: PersonProcess, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; ends at once if the browser leaves. Raises GoneError before anything is sent."""
        body = _Body(receive, comes=_has_body(scope))
        answering = asyncio.create_task(self._answer(app, scope, body, send))
        leaving = asyncio.create_task(body.left())
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (answering, leaving):
                task.cancel()
            ended = await asyncio.gather(answering, leaving, return_exceptions=True)
        if isinstance(ended[0], Exception):
            raise ended[0]

    async def _answer(self, app: PersonProcess, scope: Scope, body: "_Body", send: Send) -> None:
        headers = self._headers(app, scope)
        chunked = body.comes and not any(name == b"content-length" for name, _ in headers)
        if chunked:
            headers.append(CHUNKED)
        connection = AppConnection(app.socket)
        try:
            async with connection:
                await connection.send_head(scope["method"], _target(scope), headers)
                # Beside it: an answer may come before all of the body, and then that need not be sent.
                sending = (
                    [asyncio.create_task(body.send_to(connection, chunked=chunked))] if body.comes else []
                )
                try:
                    await _hand_back(connection, send)
                finally:
                    await _cancelled(sending)
        except BrokenOffError as failure:
            # What has begun and does not end is cut off: a browser must not take it for the whole.
            raise (ConnectionError("the app ended") if connection.begun else GoneError) from failure

    async def socket(self, app: PersonProcess, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a WebSocket for as long as both sides keep it open. Raises GoneError before it opens."""
        await receive()  # the wish to connect
        offered = [Subprotocol(each) for each in scope.get("subprotocols") or ()]
        origin = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
        headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in self._headers(app, scope)
            if not name.startswith(SOCKETS_OWN)
        ]
        try:
            connection = await unix_connect(
                str(app.socket),
                f"ws://{host_of(scope)}{_target(scope).decode('latin-1')}",
                additional_headers=headers,
                origin=Origin(origin[0]) if origin else None,
                subprotocols=offered or None,
                compression=None,
                user_agent_header=None,
                max_size=None,
                ping_interval=None,
            )
        except InvalidHandshake:
            await send({"type": "websocket.close", "code": 1008})
            return
        except (OSError, ConnectionClosed) as failure:
            raise GoneError from failure
        async with connection:
            await send({"type": "websocket.accept", "subprotocol": connection.subprotocol})
            await _both_ways(connection, receive, send)

    def _headers(self, app: PersonProcess, scope: Scope) -> list[Header]:
        """Those of a request, but for those about its way; and ours about the way."""
        kept = [(name.lower(), value) for name, value in scope["headers"]]
        return [
            *(each for each in kept if each[0] not in OF_ONE_WAY and not self._of_the_way(each[0])),
            (KEY_HEADER.lower().encode(), app.key.reveal().encode()),
            (b"x-forwarded-proto", self.scheme.encode()),
            (b"x-forwarded-host", host_of(scope).encode("latin-1")),
        ]

    def _of_the_way(self, name: bytes) -> bool:
        return name == self._named or name == b"forwarded" or name.startswith(OF_PROXIES)


async def _hand_back(connection: AppConnection, send: Send) -> None:
    """Give the browser what the app answers; raises BrokenOffError."""
    await connection.answered()
    headers = [each for each in connection.headers if each[0] not in OF_ONE_WAY]
    await send({"type": "http.response.start", "status": connection.status, "headers": headers})
    async for piece in connection.pieces():
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


class _Body:
    """What a browser sends with a request, and the moment when it leaves."""

    def __init__(self, receive: Receive, *, comes: bool) -> None:
        self._receive = receive
        self.comes = comes
        self._read = asyncio.Event()
        if not comes:
            self._read.set()

    async def send_to(self, connection: AppConnection, *, chunked: bool) -> None:
        """Hand it on, as far as it comes and the app takes it."""
        more = True
        # An app that takes no more may have said all that it has to say to it.
        with suppress(BrokenOffError):
            while more and (message := await self._receive())["type"] == "http.request":
                more = message.get("more_body", False)
                await connection.send_piece(message.get("body", b""), chunked=chunked, last=not more)
        self._read.set()

    async def left(self) -> None:
        """Return when the browser has left."""
        await self._read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _has_body(scope: Scope) -> bool:
    names = {name.lower() for name, _ in scope["headers"]}
    return bool(names & {b"content-length", b"transfer-encoding"})


def _target(scope: Scope) -> bytes:
    """Path and query as the browser sent them."""
    path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    query: bytes = scope.get("query_string", b"")
    return path + b"?" + query if query else path


async def _both_ways(connection: ClientConnection, receive: Receive, send: Send) -> None:
    up = asyncio.create_task(_up(connection, receive))
    down = asyncio.create_task(_down(connection, send))
    try:
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _cancelled((up, down))


async def _cancelled(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _up(connection: ClientConnection, receive: Receive) -> None:
    while (message := await receive())["type"] == "websocket.receive":
        with suppress(ConnectionClosed):
            await connection.send(_content(message))


def _content(message: Message) -> str | bytes:
    text: str | None = message.get("text")
    data: bytes | None = message.get("bytes")
    return text if text is not None else data or b""


async def _down(connection: ClientConnection, send: Send) -> None:
    with suppress(ConnectionClosed):
        async for said in connection:
            await send({"type": "websocket.send", "text" if isinstance(said, str) else "bytes": said})
    code = connection.close_code or 1006
    # 1006 says that nothing was said; what may be sent for it is "gone away".
    await send({"type": "websocket.close", "code": 1001 if code == 1006 else code})
