"""The budget of one reply: seconds of the model and its code, and tokens."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic


def uncounted() -> int:
    """For hosts that do not count tokens, or limit them themselves."""
    return 0


def unlimited() -> str:
    """For hosts without limits beyond those of one reply."""
    return ""


class ReplyBudget:
    """The seconds and tokens of one reply, from now on; 0: no limit.

    `spent` gives the tokens so far; `further` another limit that is reached, as `used_up` does. The time
    for approval or input does not count.
    """

    def __init__(
        self,
        seconds: float = 0.0,
        tokens: int = 0,
        *,
        spent: Callable[[], int] = uncounted,
        further: Callable[[], str] = unlimited,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._seconds = seconds
        self._tokens = tokens
        self._spent = spent
        self._further = further
        self._clock = clock
        self._began = clock()

    @contextmanager
    def paused(self) -> Generator[None]:
        """A time that does not count."""
        since = self._clock()
        try:
            yield
        finally:
            self._began += self._clock() - since

    def used_up(self) -> str:
        """Which limit is reached, for the user and the model; empty if none is."""
        if self._seconds and self._clock() - self._began >= self._seconds:
            return f"this reply has reached its time limit of {_duration(self._seconds)}"
        if self._tokens and self._spent() >= self._tokens:
            return f"this reply has reached its limit of {self._tokens:,} tokens"
        return self._further()


def _duration(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"
