"""The end of one call of a tool: what code gets, and in short for the record. Pure."""

import json
from dataclasses import dataclass

LARGEST = 4 * 1024 * 1024
"""Characters of what one call gives: as much as a Jupyter server passes on in one message."""
SHORT = 300
"""Characters of arguments and results in a record."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of one call."""

    value: object = None
    """What JSON can hold; with `parts`, a list of texts (as they are) and images (objects)."""
    parts: bool = False
    error: str = ""
    """Why there is none, as a sentence."""

    @property
    def short(self) -> str:
        """It in a few words, for the record."""
        if self.error:
            return shortened(self.error)
        if self.parts and isinstance(self.value, list):
            return shortened(
                ", ".join(each if isinstance(each, str) else f"[{each['mime']}]" for each in self.value)
            )
        return shortened(
            self.value if isinstance(self.value, str) else json.dumps(self.value, ensure_ascii=False)
        )


def shortened(text: str) -> str:
    """A text of bounded length, on one line."""
    line = " ".join(text[: 4 * SHORT].split())
    return line if len(line) <= SHORT else f"{line[: SHORT - 1]}…"
