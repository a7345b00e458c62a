"""What the demo model says: a script, deterministic and honest about being one. Pure."""

import re
from collections.abc import Mapping, Sequence

from coderunner.models.demo_plays import EXAMPLES, play
from coderunner.models.demo_scene import scene

__all__ = ["EXAMPLES", "LABEL", "MODEL", "speak"]

MODEL = "demo (scripted, not an AI)"
"""The id of the model, which says what it is wherever it is listed."""

LABEL = "I am a script, not an AI, but the Python is real.\n\n"
"""The first words in every conversation."""

REPEAT = "Repeat exactly: "
"""Asked by whoever finds out whether a model goes on with a given text; no conversation, so no label."""


def speak(messages: Sequence[Mapping[str, object]], partial: str = "") -> str:
    """Give what the script says next; it goes on exactly where `partial`, a text of its own, ends."""
    now = scene(messages, partial)
    if now.question.startswith(REPEAT):
        text = now.question.removeprefix(REPEAT)
    else:
        text = play(now)(now.results)
        text = text if now.results or now.past else LABEL + text
    begun = _begun(now.tail, text)
    opening = "" if begun or not now.said or now.said.endswith("\n") else "\n"
    return opening + text[begun:]


def _begun(tail: str, text: str) -> int:
    """How much of `text` stands at the end of `tail` already, from the beginning of a line on."""
    starts = [0, *(match.end() for match in re.finditer("\n", tail))]
    return next((len(tail) - start for start in starts if text.startswith(tail[start:])), 0)
