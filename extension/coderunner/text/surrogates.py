"""Characters: which a reader sees, and the halves in which some programs send one, joined. Pure.

UTF-16 writes characters beyond U+FFFF as two halves (surrogates), and JSON can say each by itself. A half
alone has no UTF-8: it can be neither sent nor kept, and Python would count two where a reader sees one.
"""

import re

REPLACEMENT = "\ufffd"
"""Stands where a half has no other half."""

INVISIBLE = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0e\ufeff\uffa0"
    "\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""What a reader does not see but a model or a browser reads, as the inside of a set of `re`: control
characters, surrogates, separators, zero-width and bidirectional marks, tags, noncharacters, and variation
selectors, but for U+FE0F, which makes a symbol an emoji.
"""

# Braille without a dot is a blank as well, and U+FE0F alone is nothing.
_READABLE = re.compile(rf"[^\s\u2800\ufe0f{INVISIBLE}]")
_HALF = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)",
    re.DOTALL,
)
_LONE = len(r"\ud800")


def readable(text: str) -> bool:
    """Whether a reader sees anything of it."""
    return _READABLE.search(text) is not None


def whole(text: str) -> str:
    """The text with its halves joined; one without its other half is U+FFFD."""
    if text.isascii() or not _HALF.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def starts_within(text: str, after: str) -> bool:
    """Whether the text `after` another one begins with the second half of the character that ends that."""
    return "\ud800" <= text[-1:] <= "\udbff" and "\udc00" <= after[:1] <= "\udfff"


def paired(text: str) -> str:
    """JSON whose texts are whole once they are read: a half that it says alone is U+FFFD."""
    if "\\ud" not in text and "\\uD" not in text:
        return whole(text)
    return whole(_ESCAPED.sub(lambda found: _kept(found.group()), text))


def _kept(escape: str) -> str:
    lone = len(escape) == _LONE and escape[2] in "dD" and escape[3] not in "01234567"
    return REPLACEMENT if lone else escape


class SurrogateJoiner:
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
