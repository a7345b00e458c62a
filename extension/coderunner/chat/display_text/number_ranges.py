"""Columns of values in a few words: from the least to the most, or the first of them by name."""

import binascii
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from itertools import islice

MOST = 2_000_000
"""Values of one column that are looked at."""
NAMES = 6
"""Names that are told of a column of texts."""
NAME = 40
"""Characters of a name."""

_DATE = re.compile(r"\d{4}-\d\d(-\d\d([T ][\d:.+Z-]{2,25})?)?")
_TAG = re.compile(r"<[^<>]{0,200}>")

_BINARY = {
    "i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q", "f4": "f",
    "f8": "d",
    "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q",
    "uint64": "Q", "float32": "f", "float64": "d",
}  # fmt: skip
"""Types of numbers in bytes, as numpy and Bokeh call them, for memoryview."""


def words(text: object, most: int = 200) -> str:
    """What a chart calls something, on one line without its markup."""
    return " ".join(_TAG.sub(" ", text[:2_000]).split())[:most] if isinstance(text, str) else ""


def column(data: object) -> Sequence[object] | None:
    """The values of a column: a list, or numbers as bytes in base64 (Plotly's `bdata`, Bokeh's `ndarray`)."""
    if isinstance(data, list):
        return data
    if not isinstance(data, Mapping):
        return None
    array = data.get("array")
    text = data.get("bdata", array.get("data") if isinstance(array, Mapping) else array)
    if isinstance(text, list):
        return text
    return _unpacked(text, data.get("dtype")) if isinstance(text, str) else None


def _unpacked(text: str, kind: object) -> Sequence[object] | None:
    format_ = _BINARY.get(kind) if isinstance(kind, str) else None
    try:
        raw = memoryview(_inflated(binascii.a2b_base64(text)))
        # Whoever writes these does so in little-endian order, as every machine that we know runs.
        return raw.cast(format_) if format_ else None  # type: ignore[call-overload]
    except (ValueError, TypeError, zlib.error):
        return None


def _inflated(data: bytes) -> bytes:
    """The bytes, which Bokeh packs; no more of them than are looked at."""
    packed = data.startswith(b"\x1f\x8b")
    return zlib.decompressobj(wbits=31).decompress(data, MOST * 8) if packed else data


def size(data: object) -> str:
    """How many there are: `200`, or `20×30` of a grid."""
    shape = data.get("shape") if isinstance(data, Mapping) else None
    if isinstance(shape, str):
        return "×".join(part.strip() for part in shape.split(",")[:4])[:40]
    if isinstance(shape, list) and len(shape) > 1:
        return "×".join(str(side) for side in shape[:4])[:40]
    values = column(data)
    if values is None:
        return ""
    inner = column(values[0]) if len(values) and isinstance(values[0], list | Mapping) else None
    return f"{len(values)}×{len(inner)}" if inner is not None else str(len(values))


def extent(data: object) -> str:
    """What the values are: `1 to 9.5`, `2024-01-01 to 2024-04-09`, `a, b and 7 more`; empty: not known."""
    if isinstance(data, int | float) and not isinstance(data, bool):
        return number_words(data) if math.isfinite(data) else ""
    values = column(data)
    if values is None:
        return ""
    if len(values) and isinstance(values[0], list):
        values = [
            value for row in islice(values, 2_000) if isinstance(row, list) for value in islice(row, 2_000)
        ]
    known = [value for value in islice(values, MOST) if value is not None]
    numbers = [value for value in known if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) == len(known):
        numbers = [number for number in numbers if math.isfinite(number)]
        return _range(number_words(min(numbers)), number_words(max(numbers))) if numbers else ""
    texts = [value if isinstance(value, str) else str(value)[:NAME] for value in known]
    if all(_DATE.match(text) for text in texts):
        return _range(_date(min(texts)), _date(max(texts)))
    return names(texts)


def names(texts: Sequence[str]) -> str:
    """The first names of some, each once, and how many more there are."""
    different = list(dict.fromkeys(texts))
    shown = ", ".join(words(text, NAME) for text in different[:NAMES])
    return f"{shown} and {len(different) - NAMES:,} more" if len(different) > NAMES else shown


def _range(least: str, most: str) -> str:
    return least if least == most else f"{least} to {most}"


def number_words(number: float) -> str:
    """A number as short as it is still telling."""
    if isinstance(number, int):
        return str(number) if abs(number) < 10**15 else f"{number:.3e}" if abs(number) < 10**300 else "huge"
    return f"{number:.4g}"


def _date(text: str) -> str:
    """Without a time of day that says nothing."""
    return re.sub(r"[T ]00:00(:00(\.0+)?)?Z?$", "", text[:40])
