"""What a model sees of the pictures that its code shows."""

import base64
import io
from collections.abc import Sequence
from contextlib import suppress
from fnmatch import fnmatchcase

from PIL import Image as Pillow

SEEING = (
    "gpt-4o*", "chatgpt-4o*", "gpt-4.1*", "gpt-5*", "o1", "o1-2*", "o3", "o3-2*", "o4-mini*", "claude-*",
    "gemini-*", "gemma-3*", "gemma3*", "gemma-4*", "gemma4*", "pixtral*", "mistral-small-3*",
    "mistral-medium-*", "llama-4*", "llama4*", "llava*", "bakllava*", "minicpm-v*", "internvl*", "moondream*",
    "*-vl", "*-vl-*", "*vl-*b*", "*vl:*", "*-vision*", "*vision-*", "phi-4-multimodal*",
)  # fmt: skip
"""Families of models that take images, by the last part of their names. One that does not after all is told
so by its server's refusal, and is shown none from then on."""

LONGEST = 768
"""Pixels of the longer side: as much as models look at, at the price of a few hundred tokens."""
MOST = 4
"""Pictures of one result."""
PIXELS = 40_000_000
"""Pixels above which a picture is not even decoded."""
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")


def sees(model: str) -> bool:
    """Whether a model of this name takes images, as far as a name tells."""
    name = model.lower().rpartition("/")[2]
    return any(fnmatchcase(name, each) for each in SEEING)


def looked_at(pictures: Sequence[bytes]) -> tuple[str, ...]:
    """The pictures as data addresses, scaled down; without those that are no images, or drawings (SVG)."""
    return tuple(filter(None, map(_scaled, pictures[:MOST])))


def _scaled(content: bytes) -> str:
    # Pillow raises whatever it likes on what is broken; a picture less is no failure of a reply.
    with suppress(Exception), Pillow.open(io.BytesIO(content), formats=FORMATS) as image:
        if image.width * image.height > PIXELS:
            return ""
        image.thumbnail((LONGEST, LONGEST))
        kept = io.BytesIO()
        image.convert("RGBA" if image.has_transparency_data else "RGB").save(kept, "PNG")
        return f"data:image/png;base64,{base64.b64encode(kept.getvalue()).decode()}"
    return ""
