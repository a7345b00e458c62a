"""Images out of MIME bundles as `<img>` elements that can do nothing but be seen."""

from base64 import b64encode
from collections.abc import Mapping
from html import escape

from coderunner import images
from coderunner.images import SVG, Image

SHOWN = frozenset((*images.TYPES, "image/bmp", "image/avif"))
"""What browsers show; in an `<img>` an SVG's scripts never run and it loads nothing."""

LARGEST = 12_000_000
"""Characters of base64: a bigger picture would make each update of the page slow."""


def drawn(data: Mapping[str, object], metadata: Mapping[str, object], *, alt: str = "") -> str:
    """The image of a MIME bundle as an element, of the type that it has; empty where none shows."""
    image = images.of_bundle(data)
    if not isinstance(image, Image) or image.mime not in SHOWN or len(image.data) > LARGEST:
        return ""
    named = next((size for kind in data if kind.startswith("image/") and (size := metadata.get(kind))), None)
    return img(image, alt=alt, metadata=named)


def unseen(data: Mapping[str, object]) -> str:
    """One line for the image of a bundle that is not shown; empty where it has none."""
    image = images.of_bundle(data)
    return "" if image is None else str(image)


def img(image: Image, *, alt: str = "", metadata: object = None) -> str:
    """The element of an image."""
    data = b64encode(image.content).decode() if image.mime == SVG else image.data
    size = _size(metadata)
    return f'<img src="data:{image.mime};base64,{data}" alt="{escape(alt)}"{size}>'


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
