"""Images as models accept them: of their real type, upright, and not too large.

A program may show anything; a model's server refuses a whole conversation for one image that it cannot read.
"""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coderunner.images import image_type

if TYPE_CHECKING:
    from PIL import Image as Pillow

PIXELS = 40_000_000
"""The most pixels of an image that is decoded: a file of a few kB can declare billions."""
SHORTEST = 28
"""The fewest pixels of a side: a narrower image gets a white margin, since some models refuse it."""
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
"""The formats that are decoded; the last one needs Pillow 11.3."""
AS_THEY_ARE = {"PNG": ("1", "L", "P", "RGB", "RGBA"), "JPEG": ("L", "RGB")}
"""The formats, each with its modes, that every model accepts."""

_ORIENTATION = 0x0112
"""The EXIF tag of an image's orientation."""


@dataclass(frozen=True, slots=True)
class ModelImage:
    """An image file that models accept."""

    mime: str
    content: bytes


def for_models(content: bytes, *, longest: int, largest: int) -> ModelImage | None:
    """The image as a file of at most `longest` pixels on a side and `largest` bytes.

    None if it is not an image, is SVG, has too many pixels to decode, or if Pillow is not installed. The file
    is returned unchanged if a model accepts it; of several frames only the first is kept.
    """
    if _too_many(image_type.dimensions(content)):
        return None
    # On a broken file Pillow may raise anything, MemoryError and SyntaxError included.
    try:
        from PIL import Image as Pillow

        Pillow.init()
        known = [each for each in FORMATS if each in Pillow.OPEN]
        with Pillow.open(io.BytesIO(content), formats=known) as opened:
            if _too_many(opened.size):
                return None
            if _will_do(opened, longest) and len(content) <= largest:
                opened.load()
                return ModelImage(f"image/{str(opened.format).lower()}", content)
            return _made(opened, longest, largest)
    except Exception:  # whatever the error, there is no image to show
        return None


def _too_many(sides: tuple[int, int] | None) -> bool:
    return sides is not None and sides[0] * sides[1] > PIXELS


def _will_do(opened: "Pillow.Image", longest: int) -> bool:
    return (
        opened.mode in AS_THEY_ARE.get(str(opened.format), ())
        and min(opened.size) >= SHORTEST
        and max(opened.size) <= longest
        and getattr(opened, "n_frames", 1) == 1
        and opened.getexif().get(_ORIENTATION, 1) == 1
    )


def _made(opened: "Pillow.Image", longest: int, largest: int) -> ModelImage | None:
    """Turn it upright, scale it down, and convert its colours to what every model accepts."""
    from PIL import ImageOps

    opened.draft("RGB", (longest, longest))  # JPEG: decoded at a fraction of its size if that is enough
    image = _in_colours(ImageOps.exif_transpose(opened))
    side = longest
    while side >= SHORTEST:
        image.thumbnail((side, side))
        image = _with_margin(image)
        for kind, options in (("PNG", {}), ("JPEG", {"quality": 85})):
            kept = io.BytesIO()
            (image if kind == "PNG" else _opaque(image)).save(kept, kind, **options)
            if len(kept.getvalue()) <= largest:
                return ModelImage(f"image/{kind.lower()}", kept.getvalue())
        side //= 2
    return None


def _in_colours(image: "Pillow.Image") -> "Pillow.Image":
    if image.mode.startswith(("I", "F")):
        # Values of a microscope or a map, scaled from least to most: Pillow would clip them at 255.
        wide = image.convert("F")
        low, high = wide.getextrema()
        scale = 255 / (high - low) if high > low else 0  # type: ignore[operator]
        image = wide.point(lambda value: (value - low) * scale).convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _opaque(image: "Pillow.Image") -> "Pillow.Image":
    from PIL import Image as Pillow

    white = Pillow.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    return white


def _with_margin(image: "Pillow.Image") -> "Pillow.Image":
    from PIL import Image as Pillow

    if min(image.size) >= SHORTEST:
        return image
    size = max(image.width, SHORTEST), max(image.height, SHORTEST)
    wide = Pillow.new(image.mode, size, "white")
    wide.paste(image, ((wide.width - image.width) // 2, (wide.height - image.height) // 2))
    return wide
