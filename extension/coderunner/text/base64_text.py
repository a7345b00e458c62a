"""Base64 as programs write it, decoded in pieces. Pure."""

import binascii
from collections.abc import Iterator

PIECE = 1024 * 1024
"""Characters that are decoded at once."""

_BLANKS = b" \t\r\n\f\v"
_STANDARD = bytes.maketrans(b"-_", b"+/")
"""The URL-safe alphabet as the usual one."""


def decoded(text: str, start: int = 0) -> Iterator[bytes]:
    """The bytes of a text from `start` on: with blanks, in either alphabet, padded or not.

    Raises ValueError where it is no base64.
    """
    rest, padded = b"", False
    for at in range(start, len(text), PIECE):
        piece = text[at : at + PIECE].encode("ascii").translate(_STANDARD, _BLANKS)
        piece, padding, after = piece.partition(b"=")
        if after.strip(b"=") or (padded and piece):
            raise ValueError("padding within base64")
        padded = padded or bool(padding)
        piece = rest + piece
        whole = len(piece) - len(piece) % 4
        rest = piece[whole:]
        yield binascii.a2b_base64(piece[:whole], strict_mode=True)
    yield binascii.a2b_base64(rest + b"=" * (-len(rest) % 4), strict_mode=True)
