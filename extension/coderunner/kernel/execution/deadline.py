"""Clocks: one that can be paused, as a cell's while its program waits for a person; one that counts sleep.

And what happens where a cell's time is over.
"""

import asyncio
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from coderunner.outputs import Result

_CLOCK = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))

now: Callable[[], float] = time.monotonic if _CLOCK is None else partial(time.clock_gettime, _CLOCK)
"""Return the seconds since some moment, those included in which the machine slept."""


class Alarm:
    """Calls something after a while, unless it is set anew or cleared before; in the loop.

    A loop sorts its timers, and keeps those that are cancelled. So this one stays where it is when it is
    set anew for a later moment, and looks at its time whether it is wanted still.
    """

    __slots__ = ("_due", "_then", "_timer")

    def __init__(self) -> None:
        self._due = 0.0
        self._then: Callable[[], object] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def due(self) -> float | None:
        """When it calls, by the loop's clock; None where it is not set."""
        return None if self._then is None else self._due

    def set(self, seconds: float, then: Callable[[], object]) -> None:
        """Call `then` after so many seconds, and nothing before."""
        loop = asyncio.get_running_loop()
        self._due, self._then = loop.time() + seconds, then
        if self._timer is not None and self._timer.when() > self._due:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = loop.call_at(self._due, self._look)

    def clear(self) -> None:
        """Call nothing."""
        self._then = None

    def _look(self) -> None:
        timer, self._timer, then = self._timer, None, self._then
        if then is None or timer is None:
            return
        if timer.when() < self._due:
            self._timer = asyncio.get_running_loop().call_at(self._due, self._look)
        else:
            self._then = None
            then()


@dataclass(frozen=True, slots=True)
class Alarms:
    """Those of the cells of one kernel, which run one after the other."""

    deadline: Alarm = field(default_factory=Alarm)
    patience: Alarm = field(default_factory=Alarm)
    check: Alarm = field(default_factory=Alarm)


class Deadline:
    """Calls something after so many seconds, not counting those in which it is paused; in the loop."""

    def __init__(self, seconds: float, then: Callable[[], None], alarm: Alarm) -> None:
        """`alarm` is nobody else's meanwhile."""
        self._loop = asyncio.get_running_loop()
        self._then, self._alarm = then, alarm
        self._left = seconds
        self._since: float | None = None
        self.go_on()

    def go_on(self) -> None:
        """Start, or resume."""
        if self._since is None:
            self._since = self._loop.time()
            self._alarm.set(self._left, self._then)

    def pause(self) -> None:
        """Pause."""
        if self._since is not None:
            self._alarm.clear()
            self._left -= self._loop.time() - self._since
            self._since = None


class CellClock:
    """The deadline of a cell that runs now, if there is one; no time passes while others are waited for."""

    def __init__(self, alarm: Alarm) -> None:
        """`alarm` is nobody else's meanwhile."""
        self._alarm = alarm
        self._deadline: Deadline | None = None
        self._resting = 0

    def begin(self, seconds: float, then: Callable[[], None]) -> None:
        """Have a deadline until `end`."""
        self._deadline = Deadline(seconds, then, self._alarm)
        if self._resting:
            self._deadline.pause()

    def end(self) -> None:
        """Have none any more."""
        if self._deadline is not None:
            self._deadline.pause()
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
