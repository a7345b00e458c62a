"""Carrying bytes between two connections, as fast as the slower one takes them."""

import asyncio

from coderunner.sandbox.egress.dialling import PIECE, Stream

IDLE = 3600.0
"""Seconds without a byte in either direction after which a tunnel ends: WebSockets may be silent for long."""


async def carry(one: Stream, other: Stream, *, idle: float = IDLE) -> None:
    """Carry bytes both ways until both sides have ended; one that has ended still gets what the other sends.

    Raises OSError when a connection breaks, TimeoutError when nothing has come for `idle` seconds.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(idle) as clock:

        async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while piece := await reader.read(PIECE):
                clock.reschedule(loop.time() + idle)
                writer.write(piece)
                await writer.drain()
            writer.write_eof()

        pumps = [loop.create_task(pump(one[0], other[1])), loop.create_task(pump(other[0], one[1]))]
        try:
            await asyncio.gather(*pumps)
        finally:
            for each in pumps:
                each.cancel()
