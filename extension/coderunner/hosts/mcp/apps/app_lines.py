"""The lines of pages: what a WebSocket is elsewhere, over the calls of a tool.

A host relays nothing but calls. So one call waits for what the server has to tell, and others say something
meanwhile.
"""

import asyncio
from base64 import b64encode
from collections import OrderedDict, deque
from collections.abc import Sequence
from contextlib import suppress

from pydantic import BaseModel
from starlette.types import Message

from coderunner.ids import new_id
from coderunner.page.server.page_connection import PageConnection
from coderunner.page.server.subscriptions import Subscriptions
from coderunner.text.base64_text import decoded

WAIT = 20.0
"""Seconds that a call waits for news at most: hosts give up on a call after some sixty."""
LEFT = 90.0
"""Seconds after the last call until a page is taken to be gone."""
MOST = 200
"""Lines of one client; beyond that, the one that was opened first is closed."""
AT_ONCE = 4_000_000
"""Bytes that one call gives, if it is not a single message; and that wait for the next one."""


class Told(BaseModel):
    """A message of a block, as a page's socket has it: a text, or bytes in base64."""

    text: str = ""
    bytes: str = ""


class ToolLine:
    """One page's line: `PageConnection` takes it for a socket."""

    def __init__(self, subscriptions: Subscriptions, owner: str) -> None:
        self._heard: asyncio.Queue[Message] = asyncio.Queue()
        self._waiting: deque[Told] = deque()
        self._size = 0
        self._news, self._room = asyncio.Event(), asyncio.Event()
        self._left: asyncio.TimerHandle | None = None
        self.stay()
        self.serving = asyncio.create_task(PageConnection(self, subscriptions, owner).stay())

    async def receive(self) -> Message:
        """What the page says."""
        return await self._heard.get()

    async def send_text(self, data: str) -> None:
        """Tell the page a text."""
        await self._tell(Told(text=data))

    async def send_bytes(self, data: bytes) -> None:
        """Tell the page bytes."""
        await self._tell(Told(bytes=b64encode(data).decode()))

    async def close(self, code: int = 1000) -> None:
        """The page has said something that it must not."""
        self.leave()

    def hear(self, said: Sequence[Told]) -> None:
        """Take what the page says; raises ValueError if it is nothing that a page says."""
        for each in said:
            content = {"text": each.text} if each.text else {"bytes": b"".join(decoded(each.bytes))}
            self._heard.put_nowait({"type": "websocket.receive", **content})

    async def take(self, within: float) -> list[Told]:
        """What there is to tell, once there is something, or nothing after `within` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._news.wait()
        given: list[Told] = []
        size = 0
        while self._waiting and (not given or size + _size(self._waiting[0]) <= AT_ONCE):
            given.append(self._waiting.popleft())
            size += _size(given[-1])
        self._size -= size
        self._room.set()
        if not self._waiting:
            self._news.clear()
        return given

    def stay(self) -> None:
        """The page is there: it has just called."""
        if self._left is not None:
            self._left.cancel()
        self._left = asyncio.get_running_loop().call_later(LEFT, self.leave)

    def leave(self) -> None:
        """The page is gone."""
        if self._left is not None:
            self._left.cancel()
        self._heard.put_nowait({"type": "websocket.disconnect"})
        self._size = 0
        self._room.set()

    async def _tell(self, message: Told) -> None:
        while self._size > AT_ONCE:
            self._room.clear()
            await self._room.wait()
        self._waiting.append(message)
        self._size += _size(message)
        self._news.set()


def _size(message: Told) -> int:
    return len(message.text) + len(message.bytes)


class ToolLines:
    """The open lines of all clients, each of which knows its own alone."""

    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions
        self._open: OrderedDict[tuple[str, str], ToolLine] = OrderedDict()

    def open(self, owner: str) -> str:
        """Open a line; gives its name."""
        name = new_id()
        line = self._open[owner, name] = ToolLine(self._subscriptions, owner)
        line.serving.add_done_callback(lambda _: self._open.pop((owner, name), None))
        its = [each for (whose, _), each in self._open.items() if whose == owner]
        if len(its) > MOST:
            its[0].leave()
        return name

    def find(self, owner: str, name: str) -> ToolLine | None:
        """A line of `owner`, whose page has just called; None where there is none."""
        line = self._open.get((owner, name))
        if line is not None:
            line.stay()
        return line
