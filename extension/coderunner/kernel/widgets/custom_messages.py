"""What programs say to widgets beside their states: kept in order, for pages that listen later. Pure.

A canvas is a widget to which a program says what to draw; its state knows nothing of it. In a notebook the
model is there before the first word, here a page may open when all has been said.
"""

import base64
import json
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

LARGEST, MOST = 4 * 1024 * 1024, 4000
"""Characters and bytes of what is kept for one model, and messages: of more the oldest go."""
WHOLE = 16 * 1024 * 1024
"""Characters and bytes of all that one kernel's models were told."""

ASKING = frozenset({"jupyter-matplotlib"})
"""Programs of widgets that ask for the whole when they are shown: what was said before is no use."""


@dataclass(frozen=True, slots=True)
class CustomMessage:
    """One of them."""

    identity: str
    """The model's."""
    number: int
    """Grows with each message of a kernel, so that a page that has it already notices; 0: it is not kept."""
    content: object
    buffers: Sequence[bytes] = ()
    parent: str = ""
    """The number of the message of a page that it answers."""

    @property
    def size(self) -> int:
        """Characters and bytes."""
        return len(json.dumps(self.content)) + sum(map(len, self.buffers))


class CustomMessages:
    """Those of one kernel's models, bounded."""

    def __init__(self, first: int = 1) -> None:
        """`first`: the number of the first one; greater than those of an earlier process."""
        self._next = first
        self._all: OrderedDict[tuple[str, int], int] = OrderedDict()
        """The size of each, the oldest first."""
        self._of: dict[str, dict[int, CustomMessage]] = {}
        self._sizes: dict[str, int] = {}
        self._size = 0

    def add(self, message: CustomMessage) -> CustomMessage:
        """Keep one that is new; returns it with its number."""
        numbered = replace(message, number=self._next)
        self.put(numbered)
        return numbered

    def put(self, message: CustomMessage) -> None:
        """Keep one that has a number already."""
        key = message.identity, message.number
        if key in self._all:
            return
        self._next = max(self._next, message.number + 1)
        size = self._all[key] = message.size
        mine = self._of.setdefault(message.identity, {})
        mine[message.number] = message
        self._sizes[message.identity] = self._sizes.get(message.identity, 0) + size
        self._size += size
        while len(mine) > MOST or self._sizes[message.identity] > LARGEST:
            self._drop(message.identity, next(iter(mine)))
        while self._size > WHOLE:
            self._drop(*next(iter(self._all)))

    def of(self, identities: Collection[str]) -> list[CustomMessage]:
        """All that is kept for these models, in the order in which it was said."""
        found = (message for each in identities for message in self._of.get(each, {}).values())
        return sorted(found, key=lambda message: message.number)

    def forget(self, identity: str) -> None:
        """That model no longer exists."""
        for number in list(self._of.get(identity, ())):
            self._drop(identity, number)
        self._of.pop(identity, None)
        self._sizes.pop(identity, None)

    def _drop(self, identity: str, number: int) -> None:
        size = self._all.pop((identity, number))
        self._sizes[identity] -= size
        self._size -= size
        del self._of[identity][number]


# --- as they are kept beside the states of a run ------------------------------------------------------------


def kept_messages(messages: Sequence[CustomMessage]) -> list[object]:
    """As JSON has them."""
    return [
        [each.identity, each.number, each.content, [base64.b64encode(one).decode() for one in each.buffers]]
        for each in messages
    ]


def unkept_messages(kept: object) -> Iterator[CustomMessage]:
    """What `kept_messages` gave."""
    for identity, number, content, buffers in kept if isinstance(kept, list) else ():
        yield CustomMessage(identity, number, content, [base64.b64decode(each) for each in buffers])
