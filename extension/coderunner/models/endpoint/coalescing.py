"""Takes what has come at the same time as one.

A server that writes fast sends many small pieces; each on its own way through all that is done with a reply
costs ten times what they cost together.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

MOST = 65_536
"""Bytes that wait; then the server waits as well."""


async def together(pieces: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Return all that `pieces` has given by now, as soon as there is something; raises what it raises."""
    waiting = bytearray()
    come, taken = asyncio.Event(), asyncio.Event()

    async def read() -> None:
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    waiting.extend(piece)
                    come.set()
                    while len(waiting) > MOST:
                        taken.clear()
                        await taken.wait()
        finally:
            come.set()

    reading = asyncio.create_task(read())
    try:
        while not reading.done() or waiting:
            await come.wait()
            if waiting:
                come.clear()
                data = bytes(waiting)
                waiting.clear()
                taken.set()
                yield data
            else:
                await asyncio.wait({reading})
        reading.result()
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
