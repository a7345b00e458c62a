"""A clock that can be paused: a cell's, while its program waits for a person."""

import asyncio
from collections.abc import Callable


class Deadline:
    """Calls something after so many seconds, not counting those in which it is paused; in the loop."""

    def __init__(self, seconds: float, then: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._then = then
        self._left = seconds
        self._since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.go_on()

    def go_on(self) -> None:
        """Start, or resume."""
        if self._timer is None:
            self._since = self._loop.time()
            self._timer = self._loop.call_later(self._left, self._then)

    def pause(self) -> None:
        """Pause."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._left -= self._loop.time() - self._since
