"""Counts what a member uses against its limits. Pure: the time is passed in."""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

MINUTE, DAY = 60.0, 86_400.0

Kind = Literal["blocks", "tokens", "kernels"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a member may use; 0: no limit."""

    kernels: int = 0
    """Conversations that may have a kernel at once."""
    blocks_per_minute: int = 0
    """Blocks that run in any 60 seconds."""
    tokens_per_day: int = 0
    """Tokens of prompts and replies from midnight to midnight UTC."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that is reached."""

    kind: Kind
    what: str
    """Which limit that is: "20 blocks a minute"."""
    seconds: float | None
    """Until there is room again; None: as soon as another reply of the member ends."""

    @property
    def frees(self) -> str:
        """When there is room again, in words."""
        if self.seconds is None:
            return "when another reply ends"
        return f"in {_in_words(self.seconds)}"

    @property
    def in_a_reply(self) -> str:
        """Why a block is not run, for the model and its reader."""
        return f"the limit of this key, {self.what}, is reached; there is room again {self.frees}"


@dataclass(slots=True)
class Account:
    """What one member has used. Takes memory for a minute's blocks at most, and amortised constant time."""

    blocks: deque[float] = field(default_factory=deque)
    """When each block of the last minute began, on a clock that never goes back."""
    day: int = 0
    """The day of `tokens`, counted from 1970 in UTC."""
    tokens: int = 0

    def blocks_reached(self, limits: Limits, now: float) -> Reached | None:
        """Why no block may run now; None: one may."""
        most = limits.blocks_per_minute
        while self.blocks and self.blocks[0] <= now - MINUTE:
            self.blocks.popleft()
        if not most or len(self.blocks) < most:
            return None
        # After a reload the limit may be lower than what was used already.
        free = self.blocks[len(self.blocks) - most] + MINUTE
        return Reached("blocks", f"{most:,} block{'s' if most > 1 else ''} a minute", free - now)

    def take_block(self, limits: Limits, now: float) -> Reached | None:
        """Count a block that is about to run; gives why it may not."""
        reached = self.blocks_reached(limits, now)
        if reached is None and limits.blocks_per_minute:
            self.blocks.append(now)
        return reached

    def tokens_reached(self, limits: Limits, today: float, more: int = 0) -> Reached | None:
        """Why the member may use no further token at the time `today`; None: it may.

        `today` is in seconds from 1970; `more`: tokens that are used and not yet counted.
        """
        self._begin_day(today)
        if not limits.tokens_per_day or self.tokens + more < limits.tokens_per_day:
            return None
        midnight = (self.day + 1) * DAY
        return Reached("tokens", f"{limits.tokens_per_day:,} tokens a day (UTC)", midnight - today)

    def note_tokens(self, tokens: int, today: float) -> None:
        """Count tokens that were used."""
        self._begin_day(today)
        self.tokens += max(tokens, 0)

    def _begin_day(self, today: float) -> None:
        # A clock that was set back gives no second allowance.
        if (day := math.floor(today / DAY)) > self.day:
            self.day, self.tokens = day, 0


def _in_words(seconds: float) -> str:
    whole = max(math.ceil(seconds), 1)
    if whole < 120:
        return f"{whole} s"
    minutes = math.ceil(whole / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
