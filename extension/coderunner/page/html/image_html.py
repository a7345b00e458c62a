"""Images of MIME bundles as `<img>` elements, which run no scripts."""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from html import escape

from coderunner.images import image_type
from coderunner.images.image_type import SVG, Image

SHOWN = frozenset((*image_type.TYPES, "image/bmp", "image/avif"))
"""The types that browsers show; in an `<img>` an SVG runs no scripts and loads nothing."""

LARGEST = 9_000_000
"""The most bytes of an image: a larger one would slow down each update of the page."""


def drawn(data: Mapping[str, object], metadata: Mapping[str, object], *, alt: str = "") -> str:
    """The image of a MIME bundle as an element, with its real type; empty if none can be shown."""
    image = image_type.of_bundle(data)
    if not isinstance(image, Image) or image_type.why_unseen(image, SHOWN, LARGEST):
        return ""
    named = next((size for kind in data if kind.startswith("image/") and (size := metadata.get(kind))), None)
    return img(image, alt=alt, metadata=named)


def unseen(data: Mapping[str, object]) -> str:
    """One line for an image of a bundle that is not shown; empty if it has none."""
    image = image_type.of_bundle(data)
    if isinstance(image, Image) and opaque(image_type.joined(data.get("text/plain")) or ""):
        image = replace(image, caption="")
    why = image_type.why_unseen(image, SHOWN, LARGEST) if isinstance(image, Image) else ""
    return "" if image is None else f"{image} ({why})" if why else str(image)


def img(image: Image, *, alt: str = "", metadata: object = None) -> str:
    """The element of an image."""
    data = b64encode(image.content).decode() if image.mime == SVG else image.data
    size = _size(metadata, image)
    return f'<img src="data:{image.mime};base64,{data}" alt="{escape(_said(alt))}"{size}>'


_OPAQUE = re.compile(r"<[\w.]{1,200} object(?: at 0x[0-9a-fA-F]+)?>|<[^<>\n]{1,200} at 0x[0-9a-fA-F]+>|image")


def _said(alt: str) -> str:
    """What is read to those who do not see it: no address, nor the brackets of a type's name."""
    text = " ".join(alt[:2000].split())
    return "Picture" if not text or opaque(text) else text.removeprefix("<").removesuffix(">")


def opaque(plain: str) -> bool:
    """Whether a text says nothing but the address or the type of an object."""
    return _OPAQUE.fullmatch(plain.strip()) is not None


_LENGTH = re.compile(r"\s*(\d{1,5}(?:\.\d{1,9})?)\s*(px|%)?\s*", re.ASCII)


def _size(metadata: object, image: Image) -> str:
    """The size that the program asks for, as CSS; in less space the aspect ratio stays."""
    if not isinstance(metadata, Mapping):
        return ""
    (width, across), (height, down) = (_length(metadata.get(name)) for name in ("width", "height"))
    styles = []
    if height and not width and down == "px" and (sides := image.dimensions) and all(sides):
        # As a width: a height would stay where there is less room, and the image would lose its shape.
        width, across, height = height * sides[0] / sides[1], "px", 0.0
    if width:
        styles.append(f"width:{width:g}{across}")
    if width and height and across == down == "px":
        styles.append(f"aspect-ratio:{width:g}/{height:g}")
    elif height and down == "px":
        styles.append(f"height:{height:g}px")
    if metadata.get("unconfined") is True:
        styles.append("max-width:none")
    return f' style="{";".join(styles)}"' if styles else ""


def _length(size: object) -> tuple[float, str]:
    """A length in CSS pixels or in percent of the width; 0 if it is invalid."""
    found = None if isinstance(size, bool) else _LENGTH.fullmatch(str(size)[:32])
    number = float(found[1]) if found else 0.0
    return (number, found[2] or "px") if found and 0 < number < 10_000 else (0.0, "px")
