"""Takes the body of a request from the client's socket to a file: the system moves it, and we never hold it.

ASGI has no message for that, so this goes past it, as `direct_sending` does: uvicorn, which has read the head
and some of the body, reads no more until the rest has gone through a pipe into the file, and then expects the
next request. What is not as it has to be (another server, TLS, a middleware between) leaves the body to ASGI.
"""

import asyncio
import errno
import os
import socket
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Protocol, cast

from starlette.requests import ClientDisconnect, Request

from coderunner.files.receiving import Sink

if sys.platform == "linux":
    import fcntl

LEAST = 1024 * 1024
"""Bytes of a body for which this is worth its while."""
PIPE = 1024 * 1024
"""Bytes of a pipe, the most that Linux gives everybody."""
SPAN = 32 * 1024 * 1024
"""Bytes that a thread moves at once, before it is somebody else's."""
ENOUGH = 256 * 1024
"""Bytes that are worth a thread's turn."""
PATIENCE = 1.0
"""Seconds after which fewer are moved, too."""
SILENCE = 600.0
"""Seconds for which a client may send nothing before it counts as gone."""


class _Flow(Protocol):
    def pause_reading(self) -> None: ...


class _Cycle(Protocol):
    """A request as uvicorn answers it, in `httptools_impl`."""

    transport: asyncio.Transport
    flow: _Flow
    message_event: asyncio.Event
    body: bytearray
    """What has come and was not asked for yet."""
    more_body: bool
    keep_alive: bool


class _Parser(Protocol):
    def __init__(self, protocol: object) -> None: ...

    def should_upgrade(self) -> bool: ...

    def set_dangerous_leniencies(self, *, lenient_data_after_close: bool) -> None: ...


class _Http(Protocol):
    """A connection of uvicorn's, there."""

    cycle: _Cycle
    parser: _Parser
    loop: asyncio.AbstractEventLoop
    pipeline: deque[object]


class Body:
    """The body of a request that sends a file: in pieces, and as much of it as can be without holding it."""

    def __init__(self, request: Request, size: int | None) -> None:
        """`size`: what the request says."""
        self._request, self._size = request, size
        self._stream = request.stream()

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Give what has not been poured."""
        return self

    async def __anext__(self) -> bytes:
        """The next piece; raises ClientDisconnect, also where none comes for too long."""
        try:
            async with asyncio.timeout(SILENCE):
                return await anext(self._stream)
        except TimeoutError:
            raise ClientDisconnect from None

    async def pour(self, file: Sink) -> None:
        """Move what comes to a file; raises FileError, ClientDisconnect."""
        http = _connection(self._request)
        if http is None or (self._size or 0) < LEAST:
            return
        first = await anext(self, b"")
        # Until the connection is taken nothing is awaited, so that nothing more can come.
        connection = _Connection.take(http, (self._size or 0) - len(first))
        if connection is None:
            await asyncio.to_thread(file.add, [first])
            return
        try:
            await asyncio.to_thread(file.add, [first])
            await connection.pour(file)
        finally:
            # In a thread, since it waits for one that still moves something.
            await asyncio.shield(asyncio.to_thread(connection.close))


class _Connection:
    """A connection from which uvicorn reads nothing, since the bytes that come next belong to a file."""

    def __init__(self, http: _Http, left: int, its: socket.socket, pipe: tuple[int, int]) -> None:
        """`left`: how many such bytes; `its`: the client's socket, to be closed with this, like the pipe."""
        self._http, self._parser, self._cycle = http, type(http.parser), http.cycle
        self._whole = self._left = left
        self._socket, (self._from, self._into) = its, pipe
        self._lock = threading.Lock()
        self._closed = self._gone = self._unable = False

    @classmethod
    def take(cls, http: _Http, left: int) -> "_Connection | None":
        """Have uvicorn read no more; None where nothing else would come, or there are too many open files."""
        cycle = http.cycle
        if cycle.body or not cycle.more_body or left <= 0:
            return None
        with suppress(OSError):
            its: socket.socket = cycle.transport.get_extra_info("socket").dup()
            try:
                pipe = os.pipe()
            except OSError:
                its.close()
                raise
            _enlarge(pipe[1])
            cycle.flow.pause_reading()
            return cls(http, left, its, pipe)
        return None

    async def pour(self, file: Sink) -> None:
        """Move all bytes to a file, or none where the system cannot; raises FileError, ClientDisconnect."""
        try:
            while self._left and not self._unable:
                await self._moved(file)
        except BaseException:
            # What uvicorn takes for the rest of the body is not what will come.
            self._cycle.keep_alive = False
            raise
        if not self._left:
            self._give_back()

    async def _moved(self, file: Sink) -> None:
        """Move some bytes, however long it takes until they are there."""
        loop = asyncio.get_running_loop()
        before, until = self._left, loop.time() + SILENCE
        while self._left == before and not self._unable:
            await self._ready()
            await asyncio.to_thread(file.fill, self._move)
            if self._gone or self._cycle.transport.is_closing() or loop.time() > until:
                self._cycle.transport.abort()
                await asyncio.sleep(0)  # uvicorn hears of it
                raise ClientDisconnect

    async def _ready(self) -> None:
        """Wait until enough bytes are there, or the last ones, or some time has passed."""
        loop = asyncio.get_running_loop()
        told: asyncio.Future[None] = loop.create_future()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, min(ENOUGH, self._left))
        loop.add_reader(self._socket, told.cancel)
        try:
            await asyncio.wait([told], timeout=PATIENCE)
        finally:
            loop.remove_reader(self._socket)

    def _move(self, file: int) -> None:
        """Move to a file what has come, at most `SPAN`; raises OSError where the file does not take it."""
        with self._lock:
            most = min(SPAN, self._left)
            while not self._closed and most and (count := self._taken(min(PIPE, most))):
                self._left -= count
                most -= count
                while count:
                    count -= _given(self._from, file, count)

    def _taken(self, most: int) -> int:
        """Take bytes from the socket into the pipe, which is empty; gives how many, if any are there."""
        try:
            count = os.splice(self._socket.fileno(), self._into, most)
        except BlockingIOError:
            return 0
        except OSError:
            self._unable = self._left == self._whole
            count = 0
        self._gone = not count and not self._unable
        return count

    def _give_back(self) -> None:
        """Have uvicorn take the body for complete, and what comes next for a request."""
        parser = self._http.parser = self._parser(self._http)
        with suppress(AttributeError):  # as uvicorn does it
            parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._cycle.more_body = False
        self._cycle.message_event.set()

    def close(self) -> None:
        """Close what is ours, once nothing is being moved any more."""
        with self._lock:
            self._closed = True
            with suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
            self._socket.close()
            os.close(self._from)
            os.close(self._into)


def _connection(request: Request) -> _Http | None:
    """The connection of a request, where its body can be taken past ASGI."""
    if sys.platform != "linux" or "transfer-encoding" in request.headers:
        return None
    cycle = getattr(request.receive, "__self__", None)
    transport = getattr(cycle, "transport", None)
    if not isinstance(transport, asyncio.Transport) or transport.get_extra_info("sslcontext") is not None:
        return None
    http, loop = transport.get_protocol(), asyncio.get_running_loop()
    parser = getattr(http, "parser", None)
    if not isinstance(loop, asyncio.SelectorEventLoop) or not type(parser).__module__.startswith(
        "httptools."
    ):
        return None
    told = [getattr(http, name, None) for name in ("cycle", "loop", "pipeline")]
    if told != [cycle, loop, deque()] or not all(hasattr(cycle, name) for name in _Cycle.__annotations__):
        return None
    found = cast(_Http, http)
    return None if found.parser.should_upgrade() else found


def _enlarge(pipe: int) -> None:
    """Have a pipe take as much as anybody's may."""
    if sys.platform == "linux":
        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE)


def _given(pipe: int, file: int, count: int) -> int:
    """Write bytes of a pipe to a file; gives how many."""
    try:
        return os.splice(pipe, file, count)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    # A file system that cannot do it.
    piece = os.read(pipe, count)
    done = 0
    while done < len(piece):
        done += os.write(file, piece[done:])
    return done
