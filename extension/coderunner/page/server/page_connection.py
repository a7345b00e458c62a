"""A page at its socket: what it watches, and what it was told of it."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from coderunner.page.html.block_html import Look
from coderunner.page.server import socket_messages
from coderunner.page.server.subscriptions import Subscriptions
from coderunner.page.server.widget_channel import WidgetChannel
from coderunner.text.json_reader import loads

FRAME = 0.1
"""Seconds between two drawings: as fast as reading needs. The first one after a pause goes out at once, and
so does a block that a page asks for: it asks for all that it has, one after the other."""

LARGEST = 64 * 1024
"""Characters of a message; what a page says is short. Parcels may be as large as the server lets through."""

MOST = 2000
"""Blocks that a page may watch; a long conversation has a hundred."""


class PageConnection:
    """One page; it gets nothing that `owner` may not see."""

    def __init__(self, socket: WebSocket, subscriptions: Subscriptions, owner: str) -> None:
        self._socket = socket
        self._subscriptions = subscriptions
        self._owner = owner
        self._told: dict[str, Look | None] = {}
        """What it watches, and how that looked when it was told last."""
        self._whole: set[str] = set()
        """Those of which it wants long texts whole."""
        self._stale: dict[str, None] = {}
        """What has changed since, in order."""
        self._news = asyncio.Event()
        self._asked = asyncio.Event()
        """It has asked for a block that it does not show yet."""
        self._lanes: dict[str, WidgetChannel] = {}
        """Those of its blocks whose widgets it shows."""
        self._parcels = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def stay(self) -> None:
        """Serve the page until it leaves."""
        telling = [asyncio.create_task(self._tell()), asyncio.create_task(self._deliver())]
        try:
            await self._listen(telling)
        finally:
            for task in telling:
                task.cancel()
            for channel in self._lanes.values():
                channel.close()
            for identity in self._told:
                self._subscriptions.leave(identity, self._wake)

    async def _listen(self, telling: Sequence[asyncio.Task[None]]) -> None:
        """Do what the page wants until it leaves.

        Raises what `telling` fails at: a page of which the socket is closed comes anew, and is told anew.
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
        """Do what the page wants; False where it has left, or makes no sense and the socket is closed."""
        if event["type"] == "websocket.disconnect":
            return False
        if (frame := event.get("bytes")) is not None:
            identity, parcel = socket_messages.opened(frame)
            if identity in self._lanes:
                self._lanes[identity].panel.receive(parcel)
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
                if (channel := self._lanes.pop(identity, None)) is not None:
                    channel.close()
                self._subscriptions.leave(identity, self._wake)
            case _:
                await self._socket.close(1008)
                return False
        return True

    def _show_widgets(self, identity: str) -> None:
        """Tell the page what the widgets of a block that it watches are, and what becomes of them."""
        panel = self._subscriptions.panel(identity, self._owner) if identity in self._told else None
        channel = self._lanes.get(identity)
        if panel is None:
            return
        if channel is None or channel.panel is not panel:
            if channel is not None:
                channel.close()
            channel = self._lanes[identity] = WidgetChannel(panel, self._parcels.set)
        channel.watch()

    async def _deliver(self) -> None:
        while True:
            await self._parcels.wait()
            self._parcels.clear()
            for identity, channel in list(self._lanes.items()):
                while (parcel := channel.take()) is not None:
                    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # it has just left
                        await self._socket.send_bytes(socket_messages.addressed(identity, parcel))

    def _wake(self, identity: str) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._changed, identity)

    def _changed(self, identity: str) -> None:
        if identity in self._told:
            self._stale[identity] = None
            self._news.set()

    async def _tell(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            stale, self._stale = self._stale, {}
            for identity in stale:
                # In a thread: drawing a long block takes its time.
                look, news = await asyncio.to_thread(self._drawing, identity, self._told.get(identity))
                if identity in self._told:
                    self._told[identity] = look
                    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # it has just left
                        await self._socket.send_text(news)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FRAME):
                    await self._asked.wait()
            self._asked.clear()

    def _drawing(self, identity: str, before: Look | None) -> tuple[Look | None, str]:
        """How a block looks now, and what tells the page; one that cannot be drawn holds up no other."""
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
