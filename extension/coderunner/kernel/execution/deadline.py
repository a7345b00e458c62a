"""Clocks: one that can be paused, as a cell's while its program waits for a person; one that counts sleep.

And what happens where a cell's time is over.
"""

import asyncio
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
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


class CellClock:
    """The deadline of a cell that runs now, if there is one; no time passes while others are waited for."""

    def __init__(self) -> None:
        self._deadline: Deadline | None = None
        self._resting = 0

    @contextmanager
    def running(self, seconds: float, then: Callable[[], None]) -> Generator[None]:
        """Have a deadline meanwhile."""
        self._deadline = deadline = Deadline(seconds, then)
        self._rest(0)
        try:
            yield
        finally:
            deadline.pause()
            self._deadline = None

    def pause(self) -> None:
        """Somebody is waited for."""
        self._rest(1)

    def go_on(self) -> None:
        """No more."""
        self._rest(-1)

    @contextmanager
    def paused(self) -> Generator[None]:
        """Somebody is waited for meanwhile."""
        self.pause()
        try:
            yield
        finally:
            self.go_on()

    def _rest(self, more: int) -> None:
        self._resting += more
        if self._deadline is not None:
            self._deadline.pause() if self._resting else self._deadline.go_on()


@dataclass(frozen=True, slots=True)
class Detach:
    """What happens at a cell's deadline where it is not stopped: it goes on, and nobody need wait for it."""

    limit: float
    """Seconds from its beginning until it is stopped after all."""
    tell: Callable[[Result], None]
    """Given what it has shown up to the deadline; in the loop."""
