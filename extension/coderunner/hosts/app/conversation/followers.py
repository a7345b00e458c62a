"""Who looks at the reply that is being written, and for how long nobody has."""

import asyncio
from collections.abc import Callable


class Followers:
    """The pages that follow one conversation; in its loop.

    `left` is called when the reply of now has had no page for `patience` seconds on end, counted from its own
    beginning or from the moment when its last page went: the wait for one reply never ends another one.
    """

    def __init__(self, patience: float, left: Callable[[], None]) -> None:
        self._patience = patience
        self._left = left
        self._pages = 0
        self._writing = False
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """How many there are."""
        return self._pages

    def begin(self) -> None:
        """A reply begins. A page that asked for it may be closed before it follows."""
        self._writing = True
        self._wait()

    def end(self) -> None:
        """The reply has ended."""
        self._writing = False
        self._wait()

    def come(self) -> None:
        """A page begins to follow."""
        self._pages += 1
        self._wait()

    def go(self) -> None:
        """A page follows no more."""
        self._pages -= 1
        self._wait()

    def _wait(self) -> None:
        """Count anew, where there is a reply and nobody looks; else not at all."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing and not self._pages:
            self._timer = asyncio.get_running_loop().call_later(self._patience, self._left)
