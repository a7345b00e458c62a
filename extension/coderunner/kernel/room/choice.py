"""Decides who gets a kernel, who has to wait, and whose kernel makes room: least recently used, and fair."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

LONG = 600.0
"""Seconds of rest after which a kernel makes room before all others, whoever's it is."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A conversation that has a kernel of this machine."""

    conversation: str
    owner: str
    used: float
    """When it was last used, by a clock."""
    resting: bool
    """No block runs in it or waits for it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A conversation that waits for one."""

    conversation: str
    owner: str
    since: float


@dataclass(frozen=True, slots=True)
class Admit:
    """There is room."""


@dataclass(frozen=True, slots=True)
class LetGo:
    """There is room as soon as this kernel has ended."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class Stay:
    """There is none: all that could make room are in use."""


Decision = Admit | LetGo | Stay


def decide(seats: Sequence[Seat], owner: str, *, most: int, each: int, short: bool, now: float) -> Decision:
    """Decide for a newcomer of `owner`; `seats` are those of others, `short` tells that memory is.

    At most `most` have a kernel, `each` of one owner (0: as many as that). Who has fewer kernels than another
    owner may take the place of one of those that rest; who has as many makes room with one of their own, or
    with one that has rested for long. A machine short of memory has one kernel at least.
    """
    held = Counter(seat.owner for seat in seats)
    own = 0 < each <= held[owner]
    if not seats or not (own or short or len(seats) >= most):
        return Admit()
    resting = [seat for seat in seats if seat.resting]
    if own:
        resting = [seat for seat in resting if seat.owner == owner]
    long = [seat for seat in resting if now - seat.used >= LONG]
    fair = [seat for seat in resting if seat.owner == owner or held[seat.owner] > held[owner]]
    if long:
        return LetGo(min(long, key=lambda seat: seat.used))
    if fair:
        return LetGo(min(fair, key=lambda seat: (-held[seat.owner], seat.used)))
    return Stay()


def first_of(waiting: Sequence[Waiting], seats: Sequence[Seat]) -> list[Waiting]:
    """Return those that wait in their order: whose owner has the fewest kernels, then who came first."""
    held = Counter(seat.owner for seat in seats)
    return sorted(waiting, key=lambda one: (held[one.owner], one.since))


def said(
    waiting: Sequence[Waiting], one: Waiting, seats: Sequence[Seat], *, most: int, each: int, now: float
) -> str:
    """What a conversation waits for, how many are ahead of it, and how long they have waited."""
    line = first_of(waiting, seats)
    before = line[: line.index(one)] if one in line else line
    told = f"Waiting for a kernel: {in_use(seats, one.owner, most=most, each=each)}."
    if not before:
        return told
    longest = max(now - each.since for each in before)
    if len(before) == 1:
        return f"{told} One other chat is ahead, waiting for {longest:.0f} s."
    return f"{told} {len(before)} other chats are ahead; the longest has waited for {longest:.0f} s."


def in_use(seats: Sequence[Seat], owner: str, *, most: int, each: int) -> str:
    """A clause about why there is no room."""
    own = sum(seat.owner == owner for seat in seats)
    if 0 < each <= own:
        return f"{_all(own)} that max_kernels_each allows {_is(own)} in use"
    if any(seat.resting for seat in seats):
        return f"{_all(own)} of its share of {len(seats)} on this machine {_is(own)} in use"
    short = "" if len(seats) >= most else "memory is short, and "
    return f"{short}{_all(len(seats))} on this machine {_is(len(seats))} in use"


def _all(count: int) -> str:
    return {1: "the one kernel", 2: "both kernels"}.get(count, f"all {count} kernels")


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
