"""JSON that others wrote, with one bound on how deep it is nested. Pure, and linear in the text.

What is nested deeper than a stack has frames raises RecursionError in a place that depends on the stack at
hand, when it is read or only when it is written again. So depth is bounded where a text comes in.
"""

import json
import math
import re
from typing import Any

from coderunner.errors import UnreadableJSON
from coderunner.text.surrogates import paired

DEPTH = 200
"""Levels of a value that is kept; a syntax tree of a long program has some hundred."""
WHOLE = DEPTH + 56
"""Levels of a text that is read: a value that is kept stands some levels deep in a message or a notebook."""
MOST_DIGITS = 4300
"""Digits of a whole number that Python reads, as it is by default."""
LEFT_OUT = "…"
"""In place of what is nested deeper."""

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
"""A string, or what opens or closes a level. A string that is not closed ends with the text."""

_VAST = re.compile(r"[eE]\+?[0-9]{3}|[0-9]{309}")
"""Where a number may be larger than a float."""


def loads(text: str | bytes, *, lenient: bool = False, strict: bool = True, halves: bool = False) -> object:
    """The value of a JSON text; NaN and Infinity, which are no JSON, are None.

    Bytes may be UTF-8, UTF-16 or UTF-32; a byte order mark is no part of the text. Raises UnreadableJSON,
    which is a ValueError, where the text is no JSON, has a number of more digits than Python reads (4300),
    or is nested more than `WHOLE` levels deep. With `lenient`, for what must not be lost, levels below that
    are left out instead, such a number, and one that is larger than a float, is its digits as text, and bytes
    that are no UTF-8 are U+FFFD.
    `strict` is json's: without it, strings may hold line ends. Texts in the value have whole characters (see
    `characters`), but with `halves`, for who joins texts first.
    """
    written = _decoded(text, lenient=lenient)
    written = written if halves else paired(written)
    written = written.removeprefix("\ufeff")
    brackets = written.count("[") + written.count("{")
    try:
        value = _parsed(written, strict=strict, lenient=lenient)
        # A text with few brackets cannot be deep: most values are not looked at.
        if brackets <= WHOLE or not too_deep(value, WHOLE):
            return value
    except RecursionError:
        pass
    if not lenient:
        raise UnreadableJSON(f"it is nested more than {WHOLE} levels deep")
    return _parsed(_clipped(written), strict=strict, lenient=lenient)


def clipped(value: object, depth: int = DEPTH) -> object:
    """A value that was parsed, with what is nested more than `depth` levels deep left out.

    It is the same object where nothing is left out; else lists and objects are copies. It does not recurse.
    """
    if not too_deep(value, depth):
        return value
    whole: list[object] = [value]
    level: list[list[object] | dict[object, object]] = [whole]
    for _ in range(depth):
        below = []
        for each in level:
            for place, inner in _places(each):
                each[place] = copy = inner.copy()
                below.append(copy)
        level = below
    for each in level:
        for place, _inner in _places(each):
            each[place] = LEFT_OUT
    return whole[0]


def too_deep(value: object, depth: int) -> bool:
    """Whether lists and objects are nested in a value more than `depth` levels deep. It does not recurse."""
    level = [value] if isinstance(value, list | dict) else []
    for _ in range(depth):
        level = [inner for each in level for _place, inner in _places(each)]
        if not level:
            return False
    return bool(level)


def _places(value: list[Any] | dict[Any, Any]) -> list[tuple[Any, list[Any] | dict[Any, Any]]]:
    """The lists and objects within one, and where in it they stand."""
    inner = enumerate(value) if isinstance(value, list) else value.items()
    return [(place, each) for place, each in inner if isinstance(each, list | dict)]


def _decoded(text: str | bytes, *, lenient: bool) -> str:
    if isinstance(text, str):
        return text
    try:
        encoding, errors = json.detect_encoding(text), "replace" if lenient else "strict"
        return text.decode(encoding, errors)
    except ValueError:
        # Without `from`: a decoding error carries the bytes, and they may be somebody's secret.
        raise UnreadableJSON("it is not in UTF-8") from None


def _parsed(text: str, *, strict: bool, lenient: bool) -> object:
    # A number beyond all floats would be Infinity; a parser of our own is slow, and hardly ever needed.
    own = {"parse_float": _float if lenient else _finite} if _VAST.search(text) else {}
    try:
        return _read(text, strict, **own)
    except json.JSONDecodeError as failure:
        raise UnreadableJSON(f"it is not JSON: {failure}") from None
    except ValueError:
        if lenient:
            return _read(text, strict, parse_int=_digits, **own)
        raise UnreadableJSON("it contains a number with too many digits") from None


def _read(text: str, strict: bool, **own: Any) -> object:  # noqa: ANN401, FBT001 - json's own
    if not own:
        return _DECODE[strict](text)
    value: object = json.loads(text, strict=strict, parse_constant=_nothing, **own)
    return value


def _nothing(_constant: str) -> None:
    return None


# To make a decoder takes longer than to read a part of a message, of which a cell has twenty.
_DECODE = {
    strict: json.JSONDecoder(strict=strict, parse_constant=_nothing).decode for strict in (True, False)
}


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _float(text: str) -> float | str:
    number = _finite(text)
    return text if number is None else number


def _digits(text: str) -> int | str:
    return int(text) if len(text) <= MOST_DIGITS else text


def _clipped(text: str) -> str:
    """The text with a short string in place of every list and object that is more than WHOLE levels deep."""
    kept: list[str] = []
    level = start = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            level += 1
            if level == WHOLE + 1:
                kept.append(text[start : token.start()])
        elif token[0] in "]}":
            if level == WHOLE + 1:
                kept.append(f'"{LEFT_OUT}"')
                start = token.end()
            level -= 1
    if level > WHOLE:
        raise UnreadableJSON("it is not JSON: the end is missing")
    return "".join([*kept, text[start:]])
