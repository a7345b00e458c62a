"""Saves the images of a result where the webui's page finds them.

The webui serves `user_data/cache` to everybody who can reach it, so an image has a random name (128 bits),
and its content is checked to be of its type.
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
"""Bytes of one image: the page loads it whenever the chat is opened."""
MOST = 12
"""Images of one result that are shown; more would hide the answer."""


def keep(result: Result, folder: Path) -> list[str]:
    """Save a result's images in `folder`; gives Markdown for each, in order.

    An image that cannot be shown is replaced by a description.
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
    """The bytes to save; empty if they are too many, or not SVG."""
    if image.size > LARGEST:
        return b""
    return (harmless(image.data) or "").encode() if image.mime == SVG else image.content


def seen_by_the_page(path: Path) -> str:
    """The path by which the page requests a file: relative to the webui's working directory."""
    here = Path.cwd()
    whole = path.absolute()
    return quote((whole.relative_to(here) if whole.is_relative_to(here) else whole).as_posix())
