"""The instructions in a prompt, in the language of the kernel that is in use.

The character and the addition to the system message teach Python. Where the kernel of a chat speaks another
language, the prompt teaches that; what a person has written themselves stays as it is.
"""

import re
from collections.abc import MutableMapping
from functools import cache
from typing import Any

from coderunner.hosts.textgen.form import character_preset
from coderunner.languages import Language

FIELDS = ("custom_system_message", "context")
"""Where the webui keeps the system message of its instruct mode, and what its character is told."""

ONLY = "- Blocks in other languages, Python too, are not run."
_NAME = re.compile(r"\\\{\\\{(?:char|user)\\\}\\\}")
"""A name that the webui may have filled in already, as `re.escape` writes it."""


def teach(state: MutableMapping[str, Any], language: Language) -> None:
    """Put the instructions for that language in place of those for Python, in a request's parameters."""
    if language.is_python:
        return
    for field in FIELDS:
        text = state.get(field)
        if isinstance(text, str) and "```python" in text:
            state[field] = in_language(text, language)


def add(state: MutableMapping[str, Any], words: str) -> None:
    """Tell the model something more, in whichever of the two its mode uses."""
    if words:
        for field in FIELDS:
            state[field] = f"{state.get(field) or ''}\n\n{words}".strip()


def in_language(text: str, language: Language) -> str:
    """A text with our instructions for Python in it, with those for another language in their place."""
    for lesson in (character_preset.system_message(), character_preset.context()):
        if (found := _pattern(lesson).search(text)) is not None:
            return text[: found.start()] + _translated(found[0], language) + text[found.end() :]
    return text


@cache
def _pattern(lesson: str) -> re.Pattern[str]:
    return re.compile(_NAME.sub(r"[^\\n]{1,100}?", re.escape(lesson)))


def _translated(lesson: str, language: Language) -> str:
    intro, rules, examples, *_ = lesson.split("\n\n")
    told = [line for line in rules.split("\n") if "plt.show" not in line]
    told.insert(2, ONLY)
    taught = "\n\n".join((intro, "\n".join(told))).replace("Variables, imports and functions", "Definitions")
    taught = ONLY.join(_renamed(each, language) for each in taught.split(ONLY))
    return f"{taught}\n\n{_first(examples, language)}".rstrip() if language.sum else taught


def _renamed(text: str, language: Language) -> str:
    return text.replace("```python", f"```{language.fence}").replace("Python", language.title)


def _first(examples: str, language: Language) -> str:
    """The first example, which adds 10 and 5."""
    head, _, rest = examples.partition("```python\n")
    code, fence, answer = rest.partition("\n```")
    answer = "\n".join(answer.split("\n")[:3])
    return f"{head}```{language.fence}\n{language.sum}{fence}{answer}" if code else ""
