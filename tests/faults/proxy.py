"""A TCP proxy that does to connections what networks do; by hand, or by a schedule that a seed repeats."""

import asyncio
import contextlib
import random
import re
import socket
import struct
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

LINGER = struct.pack("ii", 1, 0)
"""With this, closing a socket sends RST in place of FIN."""


class Chaos:
    """Stands between us and a server, and hurts the connections that are open, or those to come."""

    def __init__(self, target: int) -> None:
        self.url = ""
        self.refusing = False
        """New connections are reset at once."""
        self.refused = 0
        """Connections that were."""
        self.latency = 0.0
        """Seconds that each piece is held back."""
        self.rate = 0
        """Bytes a second; 0: as fast as it goes."""
        self.opened = 0
        """Connections so far."""
        self.names: list[str] = []
        """What WebSockets to a kernel were opened as: their `session_id`."""
        self.swallowing = False
        """The next WebSocket to a kernel opens, and nothing comes over it."""
        self._target = target
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        """All that there were, also those whose task had not begun when it was cancelled."""
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._deaf: set[asyncio.StreamWriter] = set()
        self._held: set[asyncio.StreamWriter] = set()
        self._released = asyncio.Event()
        self._left: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        task = asyncio.get_running_loop().create_task(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End every connection, and what carries it."""
        self.flow()
        self.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)  # what is reset is closed in the loop's next round

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            self.refused += 1
            _reset(writer)
            return
        self.opened += 1
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except BaseException as failure:  # the end of the test, too
            _reset(writer)
            if isinstance(failure, OSError):
                return
            raise
        self._writers.append(far_writer)
        pair = (writer, far_writer)
        self._pairs.add(pair)
        try:
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        finally:
            self._pairs.discard(pair)
            self._deaf.difference_update(pair)
            writer.close()
            far_writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._flowing.wait()
                if writer in self._held:
                    await self._released.wait()
                if named := re.match(r"GET \S+[?&]session_id=(\w+)", data[:1000].decode("latin-1")):
                    self.names.append(named[1])
                elif self.swallowing and data.startswith(b"HTTP/1.1 101"):
                    self.swallowing = False
                    self._deaf.add(writer)
                    data = data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
                    writer.write(data)
                if self.latency or self.rate:
                    await asyncio.sleep(self.latency + (len(data) / self.rate if self.rate else 0))
                if writer in self._deaf:
                    continue
                writer.write(data[: self._allowed(len(data))])
                await writer.drain()
                if self._left == 0:
                    self._left = None
                    self.cut()
        if writer not in self._deaf:
            writer.close()

    def _allowed(self, size: int) -> int:
        if self._left is None:
            return size
        size = min(size, self._left)
        self._left -= size
        return size

    def lead_to(self, url: str) -> None:
        """Lead new connections to another server."""
        self._target = urlsplit(url).port or 0

    # --- what networks do

    def cut(self) -> None:
        """End every connection with FIN."""
        for near, far in list(self._pairs):
            near.close()
            far.close()

    def reset(self) -> None:
        """End every connection with RST."""
        for pair in list(self._pairs):
            for writer in pair:
                _reset(writer)

    def cut_after(self, count: int) -> None:
        """End every connection when so many more bytes have passed, wherever that is in a message."""
        self._left = count

    def stall(self) -> None:
        """Hold back everything."""
        self._flowing.clear()

    def flow(self) -> None:
        """Let everything through again, what was held back first."""
        self._flowing.set()
        self._held.clear()
        self._released.set()

    def hold_the_open_ones(self) -> None:
        """Hold back what comes over the connections that are open, as slow networks do; not over new ones."""
        self._released.clear()
        for pair in self._pairs:
            self._held.update(pair)

    def half_open(self) -> None:
        """Swallow what comes over the connections that are open, and tell nobody."""
        for pair in self._pairs:
            self._deaf.update(pair)

    def hurt(self, chance: random.Random, modes: tuple[str, ...]) -> str:
        """Do one of several things by chance, and tell which."""
        mode = chance.choice(modes)
        act: dict[str, Callable[[], None]] = {
            "cut": self.cut,
            "reset": self.reset,
            "cut after": lambda: self.cut_after(chance.randrange(1, 20_000)),
            "half open": self.half_open,
        }
        act[mode]()
        return mode


def _reset(writer: asyncio.StreamWriter) -> None:
    found = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
    writer.transport.abort()


@contextlib.asynccontextmanager
async def chaos(url: str) -> AsyncIterator[Chaos]:
    """Run a `Chaos` in front of the server at `url` until the block ends."""
    proxy = Chaos(urlsplit(url).port or 0)
    server = await asyncio.start_server(proxy.connect, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{urlsplit(url).path}"
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
