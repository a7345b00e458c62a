"""Keeps the pictures of a result where the webui's page finds them.

The webui serves `user_data/cache` to everybody who reaches it, so a picture's name cannot be guessed (128
random bits) and what is stored under it is what it claims to be, by its first bytes.
"""

from pathlib import Path
from secrets import token_hex
from urllib.parse import quote

from coderunner.hosts.textgen.webui.safe_svg import harmless
from coderunner.images.image_type import SVG, Image
from coderunner.outputs import Result
from coderunner.runner import images

ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp", SVG: "svg"}
LARGEST = 8 * 1024 * 1024
"""Bytes of one picture: the page loads it at each visit of the chat."""
MOST = 12
"""Pictures of one result that are shown; more would bury the answer."""


def keep(result: Result, folder: Path) -> list[str]:
    """Store a result's pictures in `folder`; gives Markdown for each, in order.

    A picture that cannot be shown is described in words in its place.
    """
    return [_place(folder, image) for image in images(result)[:MOST]]


def _place(folder: Path, image: Image) -> str:
    ending, content = ENDINGS.get(image.mime, ""), _content(image)
    kind = image.mime.removeprefix("image/").removesuffix("+xml").upper()
    if not content or not ending:
        return f"({kind} image, not shown: unsupported format, damaged, or larger than {LARGEST >> 20} MB)"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{token_hex(16)}.{ending}"
    path.write_bytes(content)
    sides = image.dimensions
    pixels = f", {sides[0]} × {sides[1]}" if sides else ""
    return f"![{kind} image{pixels}](file/{seen_by_the_page(path)})"


def _content(image: Image) -> bytes:
    """What is stored; nothing where it is too large, or no SVG after all."""
    if image.size > LARGEST:
        return b""
    return (harmless(image.data) or "").encode() if image.mime == SVG else image.content


def seen_by_the_page(path: Path) -> str:
    """The name under which the page asks the webui for a file: from the webui's working directory on."""
    here = Path.cwd()
    whole = path.absolute()
    return quote((whole.relative_to(here) if whole.is_relative_to(here) else whole).as_posix())
