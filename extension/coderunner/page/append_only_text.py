"""Immutable text that grows at its end: a longer value costs only what is added."""

_SMALL = 256
"""Pieces after which they are joined: that many small ones take ten times the memory of their text."""


class _Buffer:
    __slots__ = ("length", "pieces", "since")

    def __init__(self, text: str) -> None:
        self.pieces = [text]
        self.length = len(text)
        self.since = 1  # The index of the first small piece.

    def append(self, text: str) -> None:
        self.pieces.append(text)
        self.length += len(text)
        if len(self.pieces) - self.since >= _SMALL:
            self.pieces[self.since :] = ["".join(self.pieces[self.since :])]
            self.since = len(self.pieces)


class AppendOnlyText:
    """A text, equal to any other with the same characters. Any thread may read it; one adds to it."""

    __slots__ = ("_buffer", "_length", "before", "last")

    def __init__(self, text: str = "") -> None:
        self._buffer = _Buffer(text)
        self._length = len(text)
        self.last = text
        """The text added last."""
        self.before = ""
        """The character before that, if there is one."""

    @property
    def first(self) -> str:
        """Its beginning, perhaps more than the first piece."""
        return self._buffer.pieces[0]

    def __add__(self, more: str) -> "AppendOnlyText":
        """The text followed by `more`."""
        grown = AppendOnlyText()
        # Values share their pieces as long as only the newest of them grows.
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
        return str(self) == str(other) if isinstance(other, AppendOnlyText | str) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))
