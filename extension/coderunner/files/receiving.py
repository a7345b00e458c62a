"""Bytes that come in pieces of any size, put together for who writes them."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


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
