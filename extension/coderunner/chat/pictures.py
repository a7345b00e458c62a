"""What an image is, read from its first bytes."""

import binascii
import re
from dataclasses import dataclass

# A JPEG tells its size after its metadata, which seldom is longer than one segment of 64 kB.
_JPEG_HEADER = 200_000
_SVG_HEADER = 4_000

_STARTS = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}

_SVG_TAG = re.compile(r"<svg\b[^>]*", re.IGNORECASE)
_SVG_SIDE = re.compile(r"\b(width|height)\s*=\s*[\"']\s*([0-9.]{1,12})(px|pt|)\s*[\"']", re.IGNORECASE)
_SVG_BOX = re.compile(
    r"\bviewBox\s*=\s*[\"']\s*\S+[\s,]+\S+[\s,]+([0-9.]{1,12})[\s,]+([0-9.]{1,12})", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Image:
    """One image that a cell showed."""

    mime: str
    data: str
    """Base64 for binary types, the text itself for SVG."""
    caption: str = ""
    """What the program calls it, on one line."""

    @property
    def size(self) -> int:
        """In bytes, from the length of the base64 text."""
        if self.mime == "image/svg+xml":
            return len(self.data)
        padding = self.data[-4:].count("=")
        return max((len(self.data) - self.data.count("\n")) * 3 // 4 - padding, 0)

    @property
    def content(self) -> bytes | None:
        """Its bytes; None where it is not what it claims to be, by its first ones."""
        if self.mime == "image/svg+xml":
            return self.data.encode("utf-8", "replace") if _SVG_TAG.search(self.data[:_SVG_HEADER]) else None
        try:
            content = binascii.a2b_base64(re.sub(r"\s", "", self.data), strict_mode=True)
        except ValueError:
            return None
        return content if content.startswith(_STARTS.get(self.mime, ())) else None

    @property
    def dimensions(self) -> tuple[int, int] | None:
        """Width and height in pixels; None where the data does not say."""
        read = _READERS.get(self.mime)
        return read(self.data) if read else None

    def __str__(self) -> str:
        """One line for somebody who does not see it: `[image/png, 640×480, 23 kB: Figure with 1 Axes]`."""
        sides = self.dimensions
        facts = [self.mime, *([f"{sides[0]}×{sides[1]}"] if sides else []), _bytes(self.size)]
        return f"[{', '.join(facts)}{f': {self.caption}' if self.caption else ''}]"


def _bytes(size: int) -> str:
    return f"{size} bytes" if size < 1000 else f"{round(size / 1000):,} kB"


def _decoded(data: str, most: int) -> bytes:
    """At least the first bytes, as far as they are base64."""
    text = re.sub(r"\s", "", data[: most * 4 // 3 + 80])
    try:
        return binascii.a2b_base64(text[: len(text) // 4 * 4])
    except ValueError:
        return b""


def _png(data: str) -> tuple[int, int] | None:
    start = _decoded(data, 32)
    if start[:8] != b"\x89PNG\r\n\x1a\n" or start[12:16] != b"IHDR" or len(start) < 24:
        return None
    return int.from_bytes(start[16:20]), int.from_bytes(start[20:24])


def _gif(data: str) -> tuple[int, int] | None:
    start = _decoded(data, 16)
    if start[:3] != b"GIF" or len(start) < 10:
        return None
    return int.from_bytes(start[6:8], "little"), int.from_bytes(start[8:10], "little")


def _jpeg(data: str) -> tuple[int, int] | None:
    """Walk the segments to the frame header: SOF0 to SOF15, but for DHT, JPG and DAC in between."""
    start = _decoded(data, _JPEG_HEADER)
    place = 2
    while start[:2] == b"\xff\xd8" and place + 9 <= len(start) and start[place] == 0xFF:
        kind, length = start[place + 1], int.from_bytes(start[place + 2 : place + 4])
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(start[place + 7 : place + 9]), int.from_bytes(start[place + 5 : place + 7])
        place += 2 + length
    return None


def _svg(data: str) -> tuple[int, int] | None:
    tag = _SVG_TAG.search(data[:_SVG_HEADER])
    if not tag:
        return None
    sides = {name.lower(): (number, unit) for name, number, unit in _SVG_SIDE.findall(tag[0])}
    try:
        if len(sides) == 2:
            return _pixels(*sides["width"]), _pixels(*sides["height"])
        box = _SVG_BOX.search(tag[0])
        return (_pixels(box[1]), _pixels(box[2])) if box else None
    except ValueError:
        return None


def _pixels(number: str, unit: str = "") -> int:
    """CSS: 72 points are 96 pixels."""
    return round(float(number) * (96 / 72 if unit.lower() == "pt" else 1))


_READERS = {"image/png": _png, "image/jpeg": _jpeg, "image/gif": _gif, "image/svg+xml": _svg}
