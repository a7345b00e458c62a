"""Images out of MIME bundles as `<img>` elements that can do nothing but be seen."""

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from html import escape

_STARTS: Mapping[str, tuple[bytes, ...]] = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}
"""The first bytes of each format: what says otherwise is not shown."""

SVG = "image/svg+xml"

TYPES = (*_STARTS, SVG)
"""In the order of preference; in an `<img>` an SVG's scripts never run and it loads nothing."""

LARGEST = 12_000_000
"""Characters of base64: a bigger picture would make each update of the page slow."""


def img(kind: str, data: object, *, alt: str = "", metadata: object = None) -> str | None:
    """Give the element, or None where `data` is no such image or too large."""
    encoded = _encoded(kind, data)
    if encoded is None:
        return None
    size = _size(metadata)
    return f'<img src="data:{kind};base64,{encoded}" alt="{escape(alt)}"{size}>'


def _encoded(kind: str, data: object) -> str | None:
    """`data` as clean base64 of the format that it claims."""
    if not isinstance(data, str) or len(data) > LARGEST:
        return None
    if kind == SVG:
        return b64encode(data.encode("utf-8", "replace")).decode() if "<svg" in data else None
    clean = re.sub(r"\s", "", data)
    try:
        decoded = b64decode(clean, validate=True)
    except (NotBase64, ValueError):
        return None
    return clean if decoded.startswith(_STARTS.get(kind, ())) else None


def _size(metadata: object) -> str:
    """The size that the program asks for, in CSS pixels, as attributes."""
    if not isinstance(metadata, Mapping):
        return ""
    sizes = ((name, metadata.get(name)) for name in ("width", "height"))
    return "".join(
        f' {name}="{int(size)}"'
        for name, size in sizes
        if isinstance(size, int | float) and not isinstance(size, bool) and 0 < size < 10_000
    )
