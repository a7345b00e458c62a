"""A file that a person sent with a message. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of the chat's folder, as it was when it was sent."""

    path: str
    size: int
    """Bytes."""
    facts: str | None = None
    """What a look into it has found, for the model, "" if that is nothing; None until somebody has looked."""


MOST = 50
"""Files of a message."""


def unlooked(files: Sequence[Attachment]) -> list[Attachment]:
    """Those into which nobody has looked yet."""
    return [file for file in files if file.facts is None]
