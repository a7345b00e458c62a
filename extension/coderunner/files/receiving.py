"""Bytes that come in pieces of any size, put together for who writes them."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Protocol, TypeVar, runtime_checkable

T = TypeVar("T")


class Sink(Protocol):
    """A file that is being written, by one thread at a time. Both methods raise FileError."""

    def add(self, pieces: list[bytes]) -> None:
        """Write what comes next."""

    def fill(self, source: Callable[[int], None]) -> None:
        """Have `source` write what comes next to the open file of that number; it may raise OSError."""


@runtime_checkable
class Pourable(Protocol):
    """Pieces that need not be held here to get into a file on this machine."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Give what has not been poured."""

    async def pour(self, file: Sink) -> None:
        """Move what comes to a file, as far as the system can do that.

        When this returns or raises, nothing is being moved any more; when it is cancelled, soon.
        """


async def batches(pieces: AsyncIterable[bytes], size: int) -> AsyncIterator[list[bytes]]:
    """The pieces as they are, at least `size` bytes of them at a time."""
    batch: list[bytes] = []
    held = 0
    async for piece in pieces:
        batch.append(piece)
        held += len(piece)
        if held >= size:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


async def chunks(pieces: AsyncIterable[bytes], size: int) -> AsyncIterator[bytes]:
    """The bytes in chunks of `size`; only the last may be shorter, and none is empty."""
    held = bytearray()
    async for piece in pieces:
        view = memoryview(piece)
        while len(view):
            room = size - len(held)
            held += view[:room]
            view = view[room:]
            if len(held) == size:
                yield bytes(held)
                held = bytearray()
    if held:
        yield bytes(held)


async def one_behind(parts: AsyncIterable[T], write: Callable[[T], Awaitable[None]]) -> None:
    """Write each part while the next one is received.

    When this returns or raises, nothing is being written any more; when it is cancelled, soon.
    """
    writing: asyncio.Future[None] | None = None
    try:
        async for part in parts:
            if writing is not None:
                await writing
            writing = asyncio.ensure_future(write(part))
        if writing is not None:
            await writing
    finally:
        if writing is not None and not writing.done():
            await asyncio.wait([writing])
        if writing is not None and not writing.cancelled():
            writing.exception()  # it was raised already, or another was
