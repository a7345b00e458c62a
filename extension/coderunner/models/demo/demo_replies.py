"""What the demo model says: a script, deterministic and honest about being one. Pure."""

import re
from collections.abc import Mapping, Sequence

from coderunner.models.demo import file_scenes as files
from coderunner.models.demo import number_scenes as numbers
from coderunner.models.demo import output_scenes as shows
from coderunner.models.demo.conversation_state import ConversationState, scene
from coderunner.models.demo.scene_parts import Play, SceneMatcher
from coderunner.models.endpoint.title_request import ASKED

MODEL = "demo (scripted, not an AI)"
"""The id of the model, which says what it is wherever it is listed."""

LABEL = "I am a script, not an AI, but the Python is real.\n\n"
"""The first words in every conversation."""

EXAMPLES = (
    "What is 10 + 5?",
    "Now double it",
    "Plot a sine wave",
    "Draw a wave with sliders",
    "Show a table of the planets",
    "Make a mistake and correct it",
    "Count slowly to 10",
    "Which numbers below 50 are prime?",
    "What is the average of 3, 4 and 8?",
    "Roll 1000 dice",
)
"""What there is a scene for, as a person would ask."""

HELP = "I only follow a script. Try one of these:\n\n" + "".join(f"- `{each}`\n" for each in EXAMPLES)

REPEAT = "Repeat exactly: "
"""Asked by whoever finds out whether a model goes on with a given text; no conversation, so no label."""

SCENES: tuple[SceneMatcher, ...] = (
    files.clean,
    shows.mistake,
    shows.slowly,
    shows.dice,
    shows.sliders,
    shows.plot,
    shows.table,
    numbers.primes,
    numbers.fibonacci,
    numbers.remember,
    numbers.of_list,
    numbers.total,
    numbers.change,
    numbers.recall,
)
"""The first that is about the question plays."""


def speak(messages: Sequence[Mapping[str, object]], partial: str = "") -> str:
    """Return what the script says next; it goes on exactly where `partial`, a text of its own, ends."""
    now = scene(messages, partial)
    if now.question.startswith(ASKED):
        return titled(now.question)
    if now.question.startswith(REPEAT):
        text = now.question.removeprefix(REPEAT)
    else:
        text = _play(now)(now.results)
        text = text if now.results or now.past else LABEL + text
    begun = _begun(now.tail, text)
    opening = "" if begun or not now.said or now.said.endswith("\n") else "\n"
    return opening + text[begun:]


def titled(request: str) -> str:
    """Return a title for the question that is quoted in a request for one."""
    asked = re.search(r"<question>\n(.*?)\n</question>", request, re.DOTALL)
    words = _POLITE.sub("", asked[1] if asked else "", count=1).strip(" ?!.\n").split()
    title = " ".join(words[:6]) or "Conversation"
    return title[0].upper() + title[1:]


_POLITE = re.compile(
    r"\s*(?:(?:please|what is|what are|show me|show|draw|plot|can you|now)\s+)*(?:(?:an?|the)\s+)?",
    re.IGNORECASE,
)
"""What questions begin with, and titles do not."""


def _begun(tail: str, text: str) -> int:
    """How much of `text` stands at the end of `tail` already, from the beginning of a line on."""
    starts = [0, *(match.end() for match in re.finditer("\n", tail))]
    return next((len(tail) - start for start in starts if text.startswith(tail[start:])), 0)


def _play(now: ConversationState) -> Play:
    return next((play for scene in SCENES if (play := scene(now))), lambda _: HELP)
