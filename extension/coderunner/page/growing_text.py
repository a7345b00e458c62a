"""Text that grows at its end, as values: each stays what it was, and the next costs what is added to it."""

_SMALL = 256
"""Pieces after which they become one: so many small ones take ten times the room of their text."""


class _Buffer:
    __slots__ = ("length", "pieces", "since")

    def __init__(self, text: str) -> None:
        self.pieces = [text]
        self.length = len(text)
        self.since = 1  # Where the small pieces begin.

    def append(self, text: str) -> None:
        self.pieces.append(text)
        self.length += len(text)
        if len(self.pieces) - self.since >= _SMALL:
            self.pieces[self.since :] = ["".join(self.pieces[self.since :])]
            self.since = len(self.pieces)


class GrowingText:
    """A text. It equals every text of the same characters. It may be read in any thread, and grows in one."""

    __slots__ = ("_buffer", "_length", "before", "last")

    def __init__(self, text: str = "") -> None:
        self._buffer = _Buffer(text)
        self._length = len(text)
        self.last = text
        """What was added last."""
        self.before = ""
        """The character before that, where there is one."""

    @property
    def first(self) -> str:
        """What it began with, and maybe more."""
        return self._buffer.pieces[0]

    def __add__(self, more: str) -> "GrowingText":
        """The text with `more` behind it."""
        grown = GrowingText()
        # Values of one text share what they hold, as long as only the newest of them grows.
        grown._buffer = self._buffer if self._length == self._buffer.length else _Buffer(str(self))
        grown._buffer.append(more)
        grown._length, grown.last = self._length + len(more), more
        grown.before = self.last[-1:] or self.before
        return grown

    def __str__(self) -> str:
        return "".join(self._buffer.pieces)[: self._length]

    def __repr__(self) -> str:
        return repr(str(self))

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if isinstance(other, GrowingText | str) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))
