"""What a model sees of the pictures that its code shows."""

import base64
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from coderunner.images.resize import for_models

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
LARGEST = 3_000_000
"""Bytes of one picture: servers take some 4 million characters of base64."""


Message = Mapping[str, object]

_ABOUT_IMAGES = re.compile(r"image|picture|vision|multi-?modal|mmproj|content (?:part|type)", re.IGNORECASE)
UNSEEN = "[an image that you cannot see]"


def sees(model: str) -> bool:
    """Whether a model of this name takes images, as far as a name tells."""
    name = model.lower().rpartition("/")[2]
    return any(fnmatchcase(name, each) for each in SEEING)


def looked_at(pictures: Sequence[bytes]) -> tuple[str, ...]:
    """The pictures as data addresses, scaled down; without those that are no images, or drawings (SVG)."""
    seen = (for_models(content, longest=LONGEST, largest=LARGEST) for content in pictures[:MOST])
    return tuple(
        f"data:{each.mime};base64,{base64.b64encode(each.content).decode()}"
        for each in seen
        if each is not None
    )


def is_about_images(refusal: str) -> bool:
    """Whether a server's refusal may be one of images."""
    return _ABOUT_IMAGES.search(refusal) is not None


def without_images(messages: Sequence[Message]) -> list[Message]:
    """The messages without the images in them; what was nothing else says so."""
    return [
        {**message, "content": _without(content)}
        if isinstance(content := message.get("content"), list) and any(map(_is_image, content))
        else message
        for message in messages
    ]


def _without(content: Sequence[object]) -> Sequence[object]:
    return [part for part in content if not _is_image(part)] or [{"type": "text", "text": UNSEEN}]


def _is_image(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "image_url"
