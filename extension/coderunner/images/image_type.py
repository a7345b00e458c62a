"""The real type of an image, from its bytes: the type that a program declares may be wrong. Pure.

Source of the formats' first bytes and ends: their specifications (PNG 1.2, JFIF 1.02, GIF 89a, RFC 9649).
"""

import binascii
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from coderunner.text.file_sizes import in_words

__all__ = [
    "RASTERS",
    "SVG",
    "TYPES",
    "Image",
    "Unreadable",
    "dimensions",
    "joined",
    "of_bundle",
    "read",
    "why_unseen",
]

SVG = "image/svg+xml"
RASTERS = ("image/png", "image/jpeg", "image/gif", "image/webp")
"""The types that every browser shows."""
TYPES = (*RASTERS, SVG)
"""In the order of preference."""

# An SVG's element comes after a declaration, a doctype and a comment of its maker.
_SVG_HEADER = 4_000
_CAPTION = 120

_SVG_TAG = re.compile(r"<svg\b[^>]*", re.IGNORECASE)
_SVG_SIDE = re.compile(r"\b(width|height)\s*=\s*[\"']\s*([0-9.]{1,12})(px|pt|)\s*[\"']", re.IGNORECASE)
_SVG_BOX = re.compile(
    r"\bviewBox\s*=\s*[\"']\s*\S+[\s,]+\S+[\s,]+([0-9.]{1,12})[\s,]+([0-9.]{1,12})", re.IGNORECASE
)
_ADDRESS = re.compile(r"\s*data:[\w/+.;=-]{0,80};base64,", re.ASCII)
"""The prefix of base64 that was written for a page."""

_OPAQUE = re.compile(r"<IPython\.(?:core|lib)\.display\.\w+ object>")
"""The repr of IPython's display objects, which describes nothing."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image that a cell showed."""

    mime: str
    """Its real type."""
    data: str
    """Base64 for binary types, the text itself for SVG."""
    caption: str = ""
    """The program's description of it, on one line."""
    told: bool = False
    """The bundle has text that says the same, so where the image is not shown it needs no mention."""

    @property
    def size(self) -> int:
        """Its bytes, computed from the length of the base64 text."""
        if self.mime == SVG:
            return len(self.data)
        padding = self.data[-4:].count("=")
        return max((len(self.data) - self.data.count("\n")) * 3 // 4 - padding, 0)

    @property
    def content(self) -> bytes:
        """Its bytes; empty if the text is not base64."""
        if self.mime == SVG:
            return self.data.encode("utf-8", "replace")
        return _decoded(self.data) or b""

    @property
    def dimensions(self) -> tuple[int, int] | None:
        """Width and height in pixels; None if the data does not contain them."""
        if self.mime == SVG:
            return _svg(self.data)
        return dimensions(self.content)

    def __str__(self) -> str:
        """One line for a reader who does not see it: `[image/png, 640×480, 23 kB: Figure with 1 Axes]`."""
        sides = self.dimensions
        facts = [self.mime, *([f"{sides[0]}×{sides[1]}"] if sides else []), in_words(self.size)]
        return f"[{', '.join(facts)}{f': {self.caption}' if self.caption else ''}]"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Data that a program showed as an image but that cannot be read as one."""

    says: str
    """The declared type."""
    why: str
    """What is wrong with it: `is HTML`, `is cut off`."""

    def __str__(self) -> str:
        """One line: `[unreadable image: declared as image/png, is HTML]`."""
        return f"[unreadable image: declared as {self.says}, {self.why}]"


def of_bundle(bundle: Mapping[str, object]) -> Image | Unreadable | None:
    """The best image of a MIME bundle, by real types; None if the bundle has none."""
    claims = [kind for kind in bundle if isinstance(kind, str) and kind.startswith("image/")]
    order = {kind: place for place, kind in enumerate(TYPES)}
    found: Unreadable | None = None
    for kind in sorted(claims, key=lambda kind: order.get(kind, len(order))):
        text = joined(bundle[kind])
        each = read(kind, text or "", _caption(bundle)) if text is not None else None
        if isinstance(each, Image):
            return each
        found = found or each
    return found


def read(says: str, data: str, caption: str = "") -> Image | Unreadable:
    """The image with its real type; `says` is the declared one."""
    says = says[:40]
    if _SVG_TAG.search(data[:_SVG_HEADER]):
        return Image(SVG, data, caption)
    clean = "".join(data[address.end() if (address := _ADDRESS.match(data)) else 0 :].split())
    clean += "=" * (-len(clean) % 4)  # padding that browsers do not require
    content = _decoded(clean)
    if not clean or content is None:
        return Unreadable(says, f"is {_what(data.encode('utf-8', 'replace'), other='not base64')}")
    if not (kind := kind_of(content)):
        text = content.decode("utf-8", "replace") if b"<svg" in content[:_SVG_HEADER] else ""
        return Image(SVG, text, caption) if text else Unreadable(says, f"is {_what(content)}")
    if kind in _WHOLE and not _WHOLE[kind](content):
        return Unreadable(says, "is cut off" if kind == says else f"is {kind} that is cut off")
    return Image(kind, clean, caption)


def why_unseen(image: Image, shown: Collection[str], largest: int) -> str:
    """Why a page that shows those types, up to `largest` bytes, does not show it; empty if it does."""
    if image.mime not in shown:
        return "not shown: browsers do not support this type"
    return f"not shown: over {largest // 1_000_000} MB" if image.size > largest else ""


def dimensions(content: bytes) -> tuple[int, int] | None:
    """Width and height of an image file other than SVG; None if it does not contain them or is no image."""
    measure = _MEASURES.get(kind_of(content))
    return measure(content) if measure else None


def kind_of(content: bytes) -> str:
    """The type of an image file other than SVG by its first bytes; empty if it is none."""
    return next((kind for kind, starts in _STARTS.items() if starts(content)), "")


def joined(data: object) -> str | None:
    """Text as it is, or as the list of lines that nbformat allows; None for anything else."""
    if isinstance(data, str):
        return data
    if isinstance(data, list | tuple) and all(isinstance(line, str) for line in data):
        return "".join(data)
    return None


def _caption(bundle: Mapping[str, object]) -> str:
    plain = (joined(bundle.get("text/plain")) or "")[: 4 * _CAPTION]
    # A formula or a table is no caption; IPython's own objects have none.
    if _OPAQUE.fullmatch(plain.strip()) or "\n" in plain.strip():
        return ""
    # Without its angle brackets, which would make it an HTML tag.
    return " ".join(re.sub(r"[<>\[\]]", "", plain[:_CAPTION]).split())


def _decoded(text: str) -> bytes | None:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return None


# --- its type --------------------------------------------------------------------------------------------

_STARTS: Mapping[str, Callable[[bytes], bool]] = {
    "image/png": lambda content: content.startswith(b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": lambda content: content.startswith(b"\xff\xd8\xff"),
    "image/gif": lambda content: content.startswith((b"GIF87a", b"GIF89a")),
    "image/webp": lambda content: content.startswith(b"RIFF") and content[8:12] == b"WEBP",
    "image/bmp": lambda content: content.startswith(b"BM") and content[6:10] == bytes(4),
    "image/tiff": lambda content: content.startswith((b"II*\0", b"MM\0*")),
    "image/avif": lambda content: content[4:12] in (b"ftypavif", b"ftypavis"),
}

_OTHERS = (
    (re.compile(rb"\s*(?:<!--.{0,400}?-->\s*)?<(?:!doctype html|html|head|body)\b", re.I | re.S), "HTML"),
    (re.compile(rb"\s*<\?xml\b"), "XML"),
    (re.compile(rb"%PDF-"), "PDF"),
    (re.compile(rb"PK\x03\x04"), "a ZIP file"),
    (re.compile(rb"\x1f\x8b"), "a gzip file"),
    (re.compile(rb"\0\0[\1\2]\0[^\0]"), "an icon"),
    (re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51"), "JPEG 2000"),
    (re.compile(rb"\0\0\0\x0cJXL |\xff\x0a"), "JPEG XL"),
    (re.compile(rb"\s*[\[{]\s*[\"{\[\d\]}]"), "JSON"),
    (re.compile(rb".{4}ftyp", re.S), "a film or a photograph of another format"),
)
"""What servers and files contain instead of an image."""


def _what(content: bytes, other: str = "no image") -> str:
    if not content.strip():
        return "empty"
    found = next((name for pattern, name in _OTHERS if pattern.match(content)), "")
    return found or other


# --- whether it is complete-------------------------------------------------------------------------------


def _whole_png(content: bytes) -> bool:
    """Walk the chunks: each contains its length, and IEND is the last."""
    place = 8
    while place + 12 <= len(content):
        length, kind = int.from_bytes(content[place : place + 4]), content[place + 4 : place + 8]
        place += 12 + length
        if kind == b"IEND":
            return place <= len(content)
    return False


def _whole_jpeg(content: bytes) -> bool:
    """Look for the end mark after the last scan; metadata may contain an image with an end mark."""
    scan = next((place for place, kind in _segments(content) if kind == 0xDA), -1)
    return scan > 0 and content.rfind(b"\xff\xd9") > scan


def _whole_webp(content: bytes) -> bool:
    return int.from_bytes(content[4:8], "little") + 8 <= len(content)


_WHOLE: Mapping[str, Callable[[bytes], bool]] = {
    "image/png": _whole_png,
    "image/jpeg": _whole_jpeg,
    "image/gif": lambda content: content.rstrip(b"\0").endswith(b";"),
    "image/webp": _whole_webp,
    "image/bmp": lambda content: int.from_bytes(content[2:6], "little") <= len(content),
}


# --- its dimensions --------------------------------------------------------------------------------------


def _segments(content: bytes) -> "list[tuple[int, int]]":
    """The offsets and markers of a JPEG's segments, up to its first scan."""
    found, place = [], 2
    while place + 4 <= len(content) and content[place] == 0xFF:
        kind = content[place + 1]
        if kind == 0xFF:  # a byte of padding
            place += 1
            continue
        found.append((place, kind))
        if kind == 0xDA:
            break
        place += 2 + int.from_bytes(content[place + 2 : place + 4])
    return found


def _png(content: bytes) -> tuple[int, int] | None:
    if content[12:16] != b"IHDR":
        return None
    return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])


def _gif(content: bytes) -> tuple[int, int]:
    return int.from_bytes(content[6:8], "little"), int.from_bytes(content[8:10], "little")


def _jpeg(content: bytes) -> tuple[int, int] | None:
    """From the frame header: SOF0 to SOF15, but for DHT, JPG and DAC in between."""
    for place, kind in _segments(content):
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = content[place + 5 : place + 7], content[place + 7 : place + 9]
            return int.from_bytes(width), int.from_bytes(height)
    return None


def _webp(content: bytes) -> tuple[int, int] | None:
    match content[12:16]:
        case b"VP8X":
            return tuple(int.from_bytes(content[at : at + 3], "little") + 1 for at in (24, 27))  # type: ignore[return-value]
        case b"VP8L":
            bits = int.from_bytes(content[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            return tuple(int.from_bytes(content[at : at + 2], "little") & 0x3FFF for at in (26, 28))  # type: ignore[return-value]
    return None


def _bmp(content: bytes) -> tuple[int, int] | None:
    if int.from_bytes(content[14:18], "little") < 40:
        return None
    width, height = (int.from_bytes(content[at : at + 4], "little", signed=True) for at in (18, 22))
    return width, abs(height)


_MEASURES: Mapping[str, Callable[[bytes], tuple[int, int] | None]] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/gif": _gif,
    "image/webp": _webp,
    "image/bmp": _bmp,
}


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
