"""Images as those take them who look at them: of their real type, upright, of a size that is accepted.

Programs show what they like; a model's server refuses a whole conversation for one image that it cannot read.
"""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coderunner.images import image_type

if TYPE_CHECKING:
    from PIL import Image as Pillow

PIXELS = 40_000_000
"""Pixels above which a picture is not even decoded: a file of some kB can say that it has billions."""
SHORTEST = 28
"""Pixels of the shorter side: what is narrower gets a white margin, since some models refuse it."""
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
"""What is decoded; the last one by Pillow from version 11.3 on."""
AS_THEY_ARE = {"PNG": ("1", "L", "P", "RGB", "RGBA"), "JPEG": ("L", "RGB")}
"""Formats, and within them modes, that every model takes."""

_ORIENTATION = 0x0112
"""The EXIF tag that says how an image is to be turned."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An image file that models take."""

    mime: str
    content: bytes


def for_models(content: bytes, *, longest: int, largest: int) -> Seen | None:
    """An image's file as one of at most `longest` pixels of a side and `largest` bytes.

    None where it is no image after all, a drawing (SVG), of too many pixels to be decoded, or where Pillow is
    not installed. It is the program's own file where that will do; of several frames it is the first.
    """
    if _too_many(image_type.dimensions(content)):
        return None
    # Pillow raises whatever it likes on what is broken: MemoryError and SyntaxError are among it.
    try:
        from PIL import Image as Pillow

        Pillow.init()
        known = [each for each in FORMATS if each in Pillow.OPEN]
        with Pillow.open(io.BytesIO(content), formats=known) as opened:
            if _too_many(opened.size):
                return None
            if _will_do(opened, longest) and len(content) <= largest:
                opened.load()
                return Seen(f"image/{str(opened.format).lower()}", content)
            return _made(opened, longest, largest)
    except Exception:  # whatever it is, there is no image to be seen
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


def _made(opened: "Pillow.Image", longest: int, largest: int) -> Seen | None:
    """Turned upright, scaled down, in colours that every model takes, and as small a file as need be."""
    from PIL import ImageOps

    opened.draft("RGB", (longest, longest))  # JPEG: decoded at a fraction of its size, where that is enough
    image = _in_colours(ImageOps.exif_transpose(opened))
    side = longest
    while side >= SHORTEST:
        image.thumbnail((side, side))
        image = _with_margin(image)
        for kind, options in (("PNG", {}), ("JPEG", {"quality": 85})):
            kept = io.BytesIO()
            (image if kind == "PNG" else _opaque(image)).save(kept, kind, **options)
            if len(kept.getvalue()) <= largest:
                return Seen(f"image/{kind.lower()}", kept.getvalue())
        side //= 2
    return None


def _in_colours(image: "Pillow.Image") -> "Pillow.Image":
    if image.mode.startswith(("I", "F")):
        # Numbers of a microscope or a map: from the least to the most, since Pillow would clip them at 255.
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
