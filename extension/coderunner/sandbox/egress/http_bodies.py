"""Bodies of HTTP/1 messages as pieces, read and written at the pace of who takes them."""

import asyncio
import re
from collections.abc import AsyncIterator

from coderunner.sandbox.egress.dialling import PIECE
from coderunner.sandbox.egress.http_heads import LONGEST, Framing, Malformed

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,12})(?:[\t ]*;[\t\x20-\x7e]*)?\r\n")
_LONGEST_LINE = 1_024


async def read_body(reader: asyncio.StreamReader, framing: Framing) -> AsyncIterator[bytes]:
    """The pieces of a body. Raises Malformed where it breaks its form, EOFError where it breaks off."""
    if framing.chunked:
        async for piece in _chunks(reader):
            yield piece
    elif framing.length is not None:
        async for piece in _exactly(reader, framing.length):
            yield piece
    else:
        while piece := await reader.read(PIECE):
            yield piece


async def _exactly(reader: asyncio.StreamReader, length: int) -> AsyncIterator[bytes]:
    while length:
        piece = await reader.read(min(length, PIECE))
        if not piece:
            raise EOFError
        length -= len(piece)
        yield piece


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        found = _CHUNK.fullmatch(await _line(reader))
        if found is None:
            raise Malformed("a chunk of the body is malformed")
        size = int(found[1], 16)
        if not size:
            break
        async for piece in _exactly(reader, size):
            yield piece
        if await reader.readexactly(2) != b"\r\n":
            raise Malformed("a chunk of the body is malformed")
    # What stands after the last chunk (trailers) concerns this connection only, and is bounded.
    left = LONGEST
    while (line := await _line(reader)) != b"\r\n":
        left -= len(line)
        if left < 0:
            raise Malformed("the trailers are too long")


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        line = await reader.readuntil(b"\r\n")
    except asyncio.LimitOverrunError:
        line = b""
    if not 2 <= len(line) <= _LONGEST_LINE:
        raise Malformed("a line of the body is too long")
    return line


class BodyWriter:
    """Writes a body's pieces, in chunks or as they are."""

    def __init__(self, writer: asyncio.StreamWriter, *, chunked: bool) -> None:
        self._writer = writer
        self._chunked = chunked

    async def write(self, piece: bytes) -> None:
        """Write a piece, and wait until there is room for the next."""
        if piece:
            self._writer.writelines((b"%x\r\n" % len(piece), piece, b"\r\n") if self._chunked else (piece,))
            await self._writer.drain()

    async def end(self) -> None:
        """Write what tells that the body is complete."""
        if self._chunked:
            self._writer.write(b"0\r\n\r\n")
            await self._writer.drain()
