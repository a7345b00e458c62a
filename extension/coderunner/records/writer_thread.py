"""The records' own thread: writes what runs show and how they end, and looks after what others left.

So neither a kernel's loop nor a host's waits for a database, and one that is away for a while costs nothing
but patience.
"""

import atexit
import logging
import threading
import time
from collections.abc import Callable

from coderunner.errors import RecordsUnavailable

log = logging.getLogger(__name__)

TICK = 0.25
"""Seconds for which changes gather: a cell that prints a thousand lines is written four times a second."""
PULSE = 5.0
"""Seconds between two heartbeats."""
PATIENCE = 5.0
"""Seconds that the end of the process waits for a database."""


class WriterThread:
    """Calls `write` soon after each `wake`, and `pulse` now and then; starts with the first wake."""

    def __init__(self, write: Callable[[], bool], pulse: Callable[[], None]) -> None:
        """`write` tells whether to look again soon; both may raise RecordsUnavailable."""
        self._write = write
        self._pulse = pulse
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._due = self._beat = 0.0
        self._asked = self._done = 0
        self._closing = False
        self._failing: set[str] = set()
        """What could not be done the last time."""

    def wake(self, *, soon: bool = False) -> None:
        """Have things written: at once, or with what else comes within a tick."""
        with self._changed:
            if self._closing:
                return
            self._asked += 1
            self._due = min(self._due, time.monotonic() + (TICK if soon else 0.0))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="coderunner-records", daemon=True)
                self._thread.start()
                atexit.register(self.close)
            self._changed.notify_all()

    def settle(self, timeout: float) -> bool:
        """Wait until all is written that was asked for; False where it is not after `timeout` seconds."""
        with self._changed:
            asked = self._asked
        self.wake()
        with self._changed:
            return self._changed.wait_for(lambda: self._done > asked and self._up_to_date(), timeout)

    def begin_without(self, failure: RecordsUnavailable) -> None:
        """Say that the database is away before anything is written; the next pulse tries it again."""
        log.warning("%s; trying again", failure)
        self._failing.add("pulse")

    def _up_to_date(self) -> bool:
        return "write" not in self._failing

    def close(self) -> None:
        """Write what is left and end, bounded. Not for the thread itself."""
        atexit.unregister(self.close)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def _work(self) -> None:
        last = False
        while not last:
            asked, last = self._wait()
            left = self._attempt("write", self._write)
            if time.monotonic() >= self._beat:
                self._attempt("pulse", self._pulse_on)
            with self._changed:
                self._done = asked
                self._due = min(self._due, time.monotonic() + TICK) if left else self._due
                self._changed.notify_all()

    def _wait(self) -> tuple[int, bool]:
        """Wait for the next thing to do; gives what was asked for until then, and whether it is the last."""
        with self._changed:
            while not self._closing and (rest := min(self._due, self._beat) - time.monotonic()) > 0:
                self._changed.wait(rest)
            self._due = float("inf")
            return self._asked, self._closing

    def _pulse_on(self) -> bool:
        self._beat = time.monotonic() + PULSE
        self._pulse()
        return False

    def _attempt(self, name: str, work: Callable[[], bool]) -> bool:
        """Do it; what the database cannot take now is tried again, and said once."""
        try:
            left = work()
        except RecordsUnavailable as failure:
            if not self._failing:
                log.warning("%s; trying again", failure)
            self._failing.add(name)
            return True
        except Exception:
            log.exception("the records failed")
            return False
        if name in self._failing:
            self._failing.discard(name)
            self._beat = 0.0  # what else failed is tried now, too
            if not self._failing:
                log.warning("the records can be saved again")
        return left
