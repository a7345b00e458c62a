"""The messages of a conversation as a tree: which of them are shown. Pure.

Messages are numbered in the order in which they began, from 0. Each follows an earlier one; those that follow
the same one are versions of one another, and one of them is shown, with what follows it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Protocol

ROOT = -1
"""Where a conversation begins: what its first message follows."""


class Placed(Protocol):
    """A message in the tree."""

    @property
    def previous(self) -> int | None:
        """The number of the message that it follows; None: the one with the number before its own."""

    @property
    def shown(self) -> bool:
        """Whether it is the one that is shown among its versions."""


def previous(number: int, message: Placed) -> int:
    """What a message follows: always an earlier one, whatever it says."""
    said = message.previous
    return said if said is not None and ROOT <= said < number else number - 1


def path(messages: Sequence[Placed]) -> list[int]:
    """The numbers of the messages that are shown, from the first to the last."""
    chosen: dict[int, int] = {}
    for number, message in enumerate(messages):
        before = previous(number, message)
        if message.shown or before not in chosen:
            chosen[before] = number
    shown, at = [], ROOT
    while (at := chosen.get(at, ROOT)) != ROOT:
        shown.append(at)
    return shown


def versions_of(messages: Sequence[Placed]) -> Mapping[int, Sequence[int]]:
    """The versions of each message, itself among them, in the order in which they were written."""
    following: defaultdict[int, list[int]] = defaultdict(list)
    for number, message in enumerate(messages):
        following[previous(number, message)].append(number)
    return {number: each for each in following.values() for number in each}


def changes(messages: Sequence[Placed], number: int) -> Mapping[int, bool]:
    """By number, what `shown` has to become so that the message of a number is shown."""
    every = versions_of(messages)
    wanted: dict[int, bool] = {}
    while number != ROOT:
        wanted |= {each: each == number for each in every[number]}
        number = previous(number, messages[number])
    return {each: shown for each, shown in wanted.items() if messages[each].shown != shown}
