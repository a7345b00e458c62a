"""The pages that show a growing reply, and the timeout when there is none."""

import asyncio
from collections.abc import Callable


class Followers:
    """The pages that follow one conversation; used in its event loop only.

    `left` is called when the current reply has had no page for `patience` seconds in a row, counted from its
    beginning or from when its last page left: the timeout of one reply never stops another.
    """

    def __init__(self, patience: float, left: Callable[[], None]) -> None:
        self._patience = patience
        self._left = left
        self._pages = 0
        self._writing = False
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """The number of pages."""
        return self._pages

    def begin(self) -> None:
        """A reply begins. The page that asked for it may be closed before it follows."""
        self._writing = True
        self._restart_timer()

    def end(self) -> None:
        """The reply has ended."""
        self._writing = False
        self._restart_timer()

    def come(self) -> None:
        """A page starts to follow."""
        self._pages += 1
        self._restart_timer()

    def go(self) -> None:
        """A page stops following."""
        self._pages -= 1
        self._restart_timer()

    def _restart_timer(self) -> None:
        """Restart the timer if there is a reply without a page; otherwise stop it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing and not self._pages:
            self._timer = asyncio.get_running_loop().call_later(self._patience, self._left)
