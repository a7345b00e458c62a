"""The WebSocket of one page: which blocks it watches, and what it was sent of them."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Protocol

from starlette.types import Message
from starlette.websockets import WebSocketDisconnect

from coderunner.page.html.block_html import Look
from coderunner.page.server import socket_messages
from coderunner.page.server.subscriptions import Subscriptions
from coderunner.page.server.widget_channel import WidgetChannel
from coderunner.text.json_reader import loads

UPDATE_INTERVAL = 0.1
"""Seconds between two updates: as fast as reading needs. The first one after a pause is sent at once, and so
is a block that the page asks for: it asks for all its blocks, one after the other."""

LARGEST = 64 * 1024
"""The most characters of a text message. Binary ones may be as large as the server allows."""

MOST = 2000
"""The most blocks that a page may watch; a long conversation has a hundred."""


class Socket(Protocol):
    """What a page and the server say to each other on; a WebSocket is one."""

    async def receive(self) -> Message:
        """The next message of the page, as ASGI has it."""

    async def send_text(self, data: str) -> None:
        """Tell the page a text."""

    async def send_bytes(self, data: bytes) -> None:
        """Tell the page bytes."""

    async def close(self, code: int = 1000) -> None:
        """Refuse to hear more."""


class PageConnection:
    """The connection of one page; it sends nothing that `owner` may not see."""

    def __init__(self, socket: Socket, subscriptions: Subscriptions, owner: str) -> None:
        self._socket = socket
        self._subscriptions = subscriptions
        self._owner = owner
        self._told: dict[str, Look | None] = {}
        """The blocks that it watches, and how they looked in the last update."""
        self._whole: set[str] = set()
        """Those whose long texts it wants in full."""
        self._stale: dict[str, None] = {}
        """Those that have changed since, in order."""
        self._pending = asyncio.Event()
        self._asked = asyncio.Event()
        """Set when it asks for a block that it does not show yet."""
        self._channels: dict[str, WidgetChannel] = {}
        """The channels of those blocks whose widgets it shows."""
        self._widgets_pending = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def stay(self) -> None:
        """Serve the page until it leaves."""
        telling = [asyncio.create_task(self._tell()), asyncio.create_task(self._deliver())]
        try:
            await self._listen(telling)
        finally:
            for task in telling:
                task.cancel()
            for channel in self._channels.values():
                channel.close()
            for identity in self._told:
                self._subscriptions.leave(identity, self._wake)

    async def _listen(self, telling: Sequence[asyncio.Task[None]]) -> None:
        """Handle messages until the page leaves.

        Raises the error of a task in `telling`: a page whose socket closes connects again and gets
        everything.
        """
        hearing = asyncio.create_task(self._keep_hearing())
        try:
            done, _ = await asyncio.wait([hearing, *telling], return_when=asyncio.FIRST_COMPLETED)
        finally:
            hearing.cancel()
        for task in done:
            task.result()

    async def _keep_hearing(self) -> None:
        with contextlib.suppress(WebSocketDisconnect):
            while await self._hear(await self._socket.receive()):
                pass

    async def _hear(self, event: Message) -> bool:
        """Handle a message; False if the page has left, or if an invalid message has closed the socket."""
        if event["type"] == "websocket.disconnect":
            return False
        if (frame := event.get("bytes")) is not None:
            identity, message = socket_messages.opened(frame)
            if identity in self._channels:
                self._channels[identity].panel.receive(message)
            return True
        text = event["text"]
        match socket_messages.asked(_json(text)) if len(text) <= LARGEST else ("", ""):
            case ("watch", identity) if identity in self._told or len(self._told) < MOST:
                self._told[identity] = None
                self._subscriptions.watch(identity, self._wake)
                self._changed(identity)
                self._asked.set()
            case ("widgets", identity):
                self._show_widgets(identity)
            case ("whole", identity):
                self._whole |= {identity} & self._told.keys()
                self._changed(identity)
            case ("part", identity):
                self._whole.discard(identity)
                self._changed(identity)
            case ("leave", identity):
                self._told.pop(identity, None)
                self._whole.discard(identity)
                if (channel := self._channels.pop(identity, None)) is not None:
                    channel.close()
                self._subscriptions.leave(identity, self._wake)
            case _:
                await self._socket.close(1008)
                return False
        return True

    def _show_widgets(self, identity: str) -> None:
        """Send the page the widgets of a block that it watches, then their changes."""
        panel = self._subscriptions.panel(identity, self._owner) if identity in self._told else None
        channel = self._channels.get(identity)
        if panel is None:
            return
        if channel is None or channel.panel is not panel:
            if channel is not None:
                channel.close()
            channel = self._channels[identity] = WidgetChannel(panel, self._widgets_pending.set)
        channel.watch()

    async def _deliver(self) -> None:
        while True:
            await self._widgets_pending.wait()
            self._widgets_pending.clear()
            for identity, channel in list(self._channels.items()):
                while (message := channel.take()) is not None:
                    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the page has just left
                        await self._socket.send_bytes(socket_messages.addressed(identity, message))

    def _wake(self, identity: str) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._changed, identity)

    def _changed(self, identity: str) -> None:
        if identity in self._told:
            self._stale[identity] = None
            self._pending.set()

    async def _tell(self) -> None:
        while True:
            await self._pending.wait()
            self._pending.clear()
            stale, self._stale = self._stale, {}
            for identity in stale:
                # In a thread: rendering a long block takes a while.
                look, message = await asyncio.to_thread(self._drawing, identity, self._told.get(identity))
                if identity in self._told:
                    self._told[identity] = look
                    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the page has just left
                        await self._socket.send_text(message)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(UPDATE_INTERVAL):
                    await self._asked.wait()
            self._asked.clear()

    def _drawing(self, identity: str, before: Look | None) -> tuple[Look | None, str]:
        """How a block looks now, and the message about it; one that cannot be rendered delays no other."""
        try:
            if (
                look := self._subscriptions.look(identity, self._owner, whole=identity in self._whole)
            ) is not None:
                return look, socket_messages.text(socket_messages.drawing(identity, look, before))
        except Exception:
            logging.getLogger(__name__).exception("a block could not be drawn")
        return None, socket_messages.text(socket_messages.gone(identity))


def _json(text: str) -> object:
    try:
        return loads(text)
    except ValueError:
        return None
