"""Whole characters: joins the halves in which some programs send one. Pure.

UTF-16 writes characters beyond U+FFFF as two halves (surrogates), and JSON can say each by itself. A half
alone has no UTF-8: it can be neither sent nor kept, and Python would count two where a reader sees one.
"""

import re

REPLACEMENT = "\ufffd"
"""Stands where a half has no other half."""

_HALF = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)",
    re.DOTALL,
)
_LONE = len(r"\ud800")


def whole(text: str) -> str:
    """The text with its halves joined; one without its other half is U+FFFD."""
    if text.isascii() or not _HALF.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def paired(text: str) -> str:
    """JSON whose texts are whole once they are read: a half that it says alone is U+FFFD."""
    if "\\ud" not in text and "\\uD" not in text:
        return whole(text)
    return whole(_ESCAPED.sub(lambda found: _kept(found.group()), text))


def _kept(escape: str) -> str:
    lone = len(escape) == _LONE and escape[2] in "dD" and escape[3] not in "01234567"
    return REPLACEMENT if lone else escape


class Joiner:
    """Joins the halves in a text that comes in pieces; cutting it elsewhere changes nothing."""

    def __init__(self) -> None:
        self._held = ""

    def receive(self, piece: str) -> str:
        """Take a piece; the first half of a character at its end waits for the next one."""
        if not piece or (piece.isascii() and not self._held):
            return piece
        piece, self._held = self._held + piece, ""
        if "\ud800" <= piece[-1] <= "\udbff":
            piece, self._held = piece[:-1], piece[-1]
        return whole(piece)

    def close(self) -> str:
        """The text has ended; give what was held."""
        held, self._held = self._held, ""
        return whole(held)
