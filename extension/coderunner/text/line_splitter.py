"""Where the lines of a stream of text end."""

import re

# CommonMark 2.1: a line ends in a line feed, a carriage return, or both in this order.
PIECE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
_SEVERAL = re.compile(r"(?:\r(?!\n\Z)|\n)(?!\Z)")


def several(text: str) -> bool:
    """Whether the text is more than one line."""
    return _SEVERAL.search(text) is not None


class LineSplitter:
    """Holds back what may be half a line end, so that every piece lies within one line.

    A line end is always the last thing of its piece. The pieces, joined, are the text; where the deltas
    were cut does not change where the lines end.
    """

    __slots__ = ("_carried",)

    def __init__(self) -> None:
        # A carriage return at the end of a delta: its line feed may follow in the next.
        self._carried = ""

    @property
    def carries(self) -> bool:
        """Whether something is held back."""
        return self._carried != ""

    def certain(self, delta: str) -> str:
        """What is certain by now, for `PIECE` to cut."""
        if self._carried:
            delta, self._carried = self._carried + delta, ""
        if delta.endswith("\r"):
            delta, self._carried = delta[:-1], "\r"
        return delta

    def close(self) -> list[str]:
        """What was held back, now that nothing follows."""
        carried, self._carried = self._carried, ""
        return [carried] if carried else []
