"""The messages of one block's widgets to one page."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from coderunner.page.block_state import BlockPanel

MOST = 32 * 1024 * 1024
"""The most bytes that wait for a slow page; beyond that they are dropped, and it gets everything again."""


class WidgetChannel:
    """The queue of messages to a page; `ready` is called in its loop when there is one."""

    def __init__(self, panel: BlockPanel, ready: Callable[[], None]) -> None:
        self.panel = panel
        self._ready = ready
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._behind = False

    def watch(self) -> None:
        """Queue everything, then each change."""
        self.panel.watch(self._hear)

    def close(self) -> None:
        """Queue nothing more."""
        self.panel.leave(self._hear)

    def take(self) -> bytes | None:
        """The next message; None if none waits."""
        if not self._waiting:
            if self._behind:
                self._behind = False
                self.watch()
            return None
        message = self._waiting.popleft()
        self._size -= len(message)
        return message

    def _hear(self, message: bytes) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._queue, message)

    def _queue(self, message: bytes) -> None:
        self._waiting.append(message)
        self._size += len(message)
        if self._size > MOST and len(self._waiting) > 1:
            self._waiting.clear()
            self._size, self._behind = 0, True
            self.panel.leave(self._hear)
        self._ready()
