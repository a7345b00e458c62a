"""The way of one block's widgets to one page."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from coderunner.page.block_state import BlockPanel

MOST = 32 * 1024 * 1024
"""Bytes that may wait for a page that is slow; then they are dropped, and it is told the whole anew."""


class WidgetChannel:
    """What waits to be sent to a page; `ready` is called in its loop when there is something."""

    def __init__(self, panel: BlockPanel, ready: Callable[[], None]) -> None:
        self.panel = panel
        self._ready = ready
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._behind = False

    def watch(self) -> None:
        """Have everything told, and then what changes."""
        self.panel.watch(self._hear)

    def close(self) -> None:
        """Have nothing told any more."""
        self.panel.leave(self._hear)

    def take(self) -> bytes | None:
        """Give the next parcel; None where none waits."""
        if not self._waiting:
            if self._behind:
                self._behind = False
                self.watch()
            return None
        parcel = self._waiting.popleft()
        self._size -= len(parcel)
        return parcel

    def _hear(self, parcel: bytes) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._queue, parcel)

    def _queue(self, parcel: bytes) -> None:
        self._waiting.append(parcel)
        self._size += len(parcel)
        if self._size > MOST and len(self._waiting) > 1:
            self._waiting.clear()
            self._size, self._behind = 0, True
            self.panel.leave(self._hear)
        self._ready()
