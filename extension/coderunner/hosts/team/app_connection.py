"""One request to a person's app, by a connection of its own, and the answer to it as it comes.

No client for the whole web stands between, with its pools, proxies and redirects: what that takes for
a request, the front would take for each request of each person.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Self

import httptools

from coderunner.access.origins import Header

PIECE = 2**16
"""Bytes that are read at once."""
CHUNKED: Header = (b"transfer-encoding", b"chunked")
LAST = b"0\r\n\r\n"
"""The end of a body whose length was not said."""
FINAL = 200
"""The first status that is an answer, and no news of one."""


class BrokenOffError(Exception):
    """The app takes no connection, or ended it before its answer was whole."""


class AppConnection:
    """A connection for one request; an `async with` opens and closes it."""

    def __init__(self, path: Path) -> None:
        """`path`: the Unix socket at which the app listens."""
        self._path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(0)
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._bodiless = False
        self._whole = self.begun = False
        self._unread: list[bytes] = []
        """`begun`: status and headers of the answer are there."""
        self.status = 0
        self.headers: list[Header] = []
        """Names in lower case."""

    async def __aenter__(self) -> Self:
        """Connect; raises BrokenOffError."""
        try:
            await self._loop.sock_connect(self._socket, self._path)
        except OSError as failure:
            self._socket.close()
            raise BrokenOffError from failure
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it: the app hears at once that nobody listens any more."""
        self._socket.close()
        del self._parser  # it knows us, too

    async def send_head(self, method: str, target: bytes, headers: Iterable[Header]) -> None:
        """Send what comes before the body; raises BrokenOffError, and ValueError for what is no head."""
        self._bodiless = method == "HEAD"
        lines = [b"%b %b HTTP/1.1" % (method.encode(), target), *(b"%b: %b" % each for each in headers)]
        if any(b"\r" in line or b"\n" in line for line in lines):
            raise ValueError("a header with a line break in it")
        await self._send(b"\r\n".join([*lines, b"", b""]))

    async def send_piece(self, piece: bytes, *, chunked: bool, last: bool) -> None:
        """Send a piece of the body, `chunked` where its length was not said; raises BrokenOffError."""
        if chunked:
            # An empty chunk would be the last one.
            piece = (b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b"") + (LAST if last else b"")
        await self._send(piece)

    async def _send(self, content: bytes) -> None:
        try:
            await self._loop.sock_sendall(self._socket, content)
        except OSError as failure:
            raise BrokenOffError from failure

    async def answered(self) -> None:
        """Wait until status and headers of the answer are there; raises BrokenOffError."""
        while not self.begun:
            await self._read()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body, all that is there of it at a time; raises BrokenOffError if it ends too soon."""
        while True:
            if self._unread:
                piece = b"".join(self._unread)
                self._unread.clear()
                yield piece
            if self._whole:
                return
            await self._read()

    async def _read(self) -> None:
        try:
            read = await self._loop.sock_recv(self._socket, PIECE)
            self._parser.feed_data(read)
        except (OSError, httptools.HttpParserError) as failure:
            raise BrokenOffError from failure
        if not read:
            raise BrokenOffError

    # --- what the parser calls --------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """An answer begins, or news of one."""
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """What follows is the body, if there is one."""
        self.status = self._parser.get_status_code()
        self.begun = self.status >= FINAL
        self._whole = self.begun and self._bodiless

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        self._unread.append(piece)

    def on_message_complete(self) -> None:
        """All of it has come."""
        self._whole = self.begun
