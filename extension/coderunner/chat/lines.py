"""A stream of text, cut after each line end."""

import re

# CommonMark 2.1: a line ends in a line feed, a carriage return, or both in this order.
_PIECES = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")


class Lines:
    """Cuts deltas so that every piece lies within one line.

    A line end is always the last thing of its piece. The pieces, joined, are the text; where the deltas
    were cut does not change where the lines end.
    """

    __slots__ = ("_carried",)

    def __init__(self) -> None:
        # A carriage return at the end of a delta: its line feed may follow in the next.
        self._carried = ""

    def receive(self, delta: str) -> list[str]:
        """The pieces that are certain by now."""
        if self._carried:
            delta, self._carried = self._carried + delta, ""
        elif "\n" not in delta and "\r" not in delta:
            return [delta] if delta else []
        if delta.endswith("\r"):
            delta, self._carried = delta[:-1], "\r"
        pieces: list[str] = _PIECES.findall(delta)
        return pieces

    def close(self) -> list[str]:
        """What was held back, now that nothing follows."""
        carried, self._carried = self._carried, ""
        return [carried] if carried else []
