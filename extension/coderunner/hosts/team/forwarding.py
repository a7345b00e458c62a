"""Requests and WebSockets, handed on to the app of one person and back as they are."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress

import httpx
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Origin, Subprotocol

from coderunner.access.origins import Header, Message, Receive, Scope, Send, host_of
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
        body = _Body(receive, chunked=_has_body(scope))
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
        content = body.parts() if body.chunked else None
        request = httpx.Request(
            scope["method"],
            httpx.URL("http://app", raw_path=_target(scope)),
            headers=self._headers(app, scope),
            content=content,
            extensions={"timeout": {}},  # a page listens to events for as long as it is open
        )
        begun = False
        async with app.transport() as transport:
            try:
                response = await transport.handle_async_request(request)
                begun = True
                head = [(name.lower(), value) for name, value in response.headers.raw]
                headers = [each for each in head if each[0] not in OF_ONE_WAY]
                await send(
                    {"type": "http.response.start", "status": response.status_code, "headers": headers}
                )
                async for part in response.aiter_raw():
                    await send({"type": "http.response.body", "body": part, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
            except httpx.TransportError as failure:
                # What has begun and does not end is cut off: a browser must not take it for the whole.
                raise (ConnectionError("the app ended") if begun else GoneError) from failure

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


class _Body:
    """What a browser sends with a request, and the moment when it leaves."""

    def __init__(self, receive: Receive, *, chunked: bool) -> None:
        self._receive = receive
        self.chunked = chunked
        self._read = asyncio.Event()
        if not chunked:
            self._read.set()

    async def parts(self) -> AsyncIterator[bytes]:
        """The parts of the body."""
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise httpx.ReadError("the browser left")
            yield message.get("body", b"")
            more = message.get("more_body", False)
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
    path: bytes = scope.get("raw_path") or scope["path"].encode()
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
