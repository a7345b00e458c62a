"""Clocks: one that can be paused, as a cell's while its program waits for a person; one that counts sleep.

And what happens where a cell's time is over.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from coderunner.outputs import Result

_CLOCK = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def now() -> float:
    """Return the seconds since some moment, those included in which the machine slept."""
    return time.clock_gettime(_CLOCK) if _CLOCK is not None else time.monotonic()


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


@dataclass(frozen=True, slots=True)
class Detach:
    """What happens at a cell's deadline where it is not stopped: it goes on, and nobody need wait for it."""

    limit: float
    """Seconds from its beginning until it is stopped after all."""
    tell: Callable[[Result], None]
    """Given what it has shown up to the deadline; in the loop."""
