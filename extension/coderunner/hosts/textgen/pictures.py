"""Keeps the pictures of a result where the webui's page finds them.

The webui serves `user_data/cache` to everybody who reaches it, so a picture's name cannot be guessed (128
random bits) and what is stored under it is what it claims to be, by its first bytes.
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from pathlib import Path
from secrets import token_hex
from struct import unpack
from urllib.parse import quote

from coderunner.hosts.textgen.vector import harmless
from coderunner.outputs import DisplayData, ExecuteResult, Result

LARGEST = 8 * 1024 * 1024
"""Bytes of one picture: the page loads it at each visit of the chat."""
MOST = 12
"""Pictures of one result that are shown; more would bury the answer."""


def keep(result: Result, folder: Path) -> list[str]:
    """Store a result's pictures in `folder`; gives Markdown for each, in order.

    A picture that cannot be shown is described in words in its place.
    """
    bundles = (each.data for each in result.outputs if isinstance(each, DisplayData | ExecuteResult))
    found = [picture for bundle in bundles if (picture := _picture(bundle)) is not None]
    return [_place(folder, *picture) for picture in found[:MOST]]


Picture = tuple[str, bytes, tuple[int, int] | None]
"""The file's ending, its bytes, and its size in pixels where that is known."""


def _place(folder: Path, ending: str, content: bytes, size: tuple[int, int] | None) -> str:
    if not content:
        return f"({ending.upper()} image that cannot be shown: damaged, or over {LARGEST >> 20} MB)"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{token_hex(16)}.{ending}"
    path.write_bytes(content)
    pixels = f", {size[0]} × {size[1]}" if size else ""
    return f"![{ending.upper()} image{pixels}](file/{seen_by_the_page(path)})"


def seen_by_the_page(path: Path) -> str:
    """The name under which the page asks the webui for a file: from the webui's working directory on."""
    here = Path.cwd()
    whole = path.absolute()
    return quote((whole.relative_to(here) if whole.is_relative_to(here) else whole).as_posix())


def _picture(bundle: Mapping[str, object]) -> Picture | None:
    """The picture in a MIME bundle; without bytes where it is none after all, None where it claims none."""
    for kind, (ending, read) in KINDS.items():
        if kind in bundle:
            content = read(bundle[kind])
            good = content is not None and len(content) <= LARGEST
            return (ending, content, _size(ending, content)) if good and content else (ending, b"", None)
    return None


def _png(data: object) -> bytes | None:
    content = _decoded(data)
    return content if content.startswith(b"\x89PNG\r\n\x1a\n") else None


def _jpeg(data: object) -> bytes | None:
    content = _decoded(data)
    return content if content.startswith(b"\xff\xd8\xff") else None


def _svg(data: object) -> bytes | None:
    if not isinstance(data, str) or len(data) > LARGEST:
        return None
    clean = harmless(data)
    return clean.encode() if clean else None


KINDS: Mapping[str, tuple[str, Callable[[object], bytes | None]]] = {
    "image/png": ("png", _png),
    "image/jpeg": ("jpg", _jpeg),
    "image/svg+xml": ("svg", _svg),
}
"""In the order of preference."""


def _decoded(data: object) -> bytes:
    """The bytes of base64 text; none where it is something else or far too long."""
    if not isinstance(data, str) or len(data) > LARGEST * 2:
        return b""
    try:
        return b64decode(re.sub(r"\s", "", data), validate=True)
    except (NotBase64, ValueError):
        return b""


def _size(ending: str, content: bytes) -> tuple[int, int] | None:
    """The size in pixels, from a PNG's header."""
    if ending != "png" or len(content) < 24:
        return None
    width, height = unpack(">II", content[16:24])
    return (width, height) if 0 < width < 1_000_000 and 0 < height < 1_000_000 else None
