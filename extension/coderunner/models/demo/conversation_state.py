"""Where a conversation stands, as the demo model reads it: pure.

A result may stand inside the assistant's own text (the reply is continued), be a user's message of its own
(the next turn) or that of a tool; here all become the same.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coderunner.models.continuation.strategies import GO_ON
from coderunner.models.demo.own_words import own_words

RESULT = re.compile(
    r"""^Result:(?:
        [ \t]+(?P<line>\S[^\n]*)                                           # Result: 15
      | \s*^(?P<mark>`{3,}|~{3,})[^\n]*\n(?P<body>.*?)^(?P=mark)[ \t]*$    # a fence, which may hold anything
        (?:\n\((?P<end>[^\n]*)\)$)?                                       # how it ended, where not well
      | [ \t]*\n(?P<other>[^\n]+)                                          # a picture, say
    )""",
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
"""A result in a reply, in any of the shapes in which `chat.render` writes it."""

CODE = re.compile(r"^```python\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
ERROR = re.compile(
    r"^(?P<name>[A-Z]\w*(?:Error|Exception|Interrupt|Iteration|Exit))(?:: (?P<text>.*))?$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the script reads of a result."""

    text: str
    """What was printed and shown."""
    end: str = ""
    """The sentence about how it ended, which is there where it did not end as usual."""


@dataclass(frozen=True, slots=True)
class ConversationState:
    """One moment of a conversation."""

    question: str
    """What the user said last."""
    said: str
    """The reply so far, with its results."""
    past: tuple[str, ...] = ()
    """The replies before this one."""

    @property
    def results(self) -> list[Seen]:
        """What this reply's blocks gave, in order."""
        return [_seen(match) for match in RESULT.finditer(self.said)]

    @property
    def tail(self) -> str:
        """What was said since the last result."""
        ends = [match.end() for match in RESULT.finditer(self.said)]
        return self.said[ends[-1] if ends else 0 :]

    @property
    def blocks(self) -> list[str]:
        """The Python of the replies before this one."""
        return [block for reply in self.past for block in CODE.findall(reply)]


def scene(messages: Sequence[Mapping[str, object]], partial: str = "") -> ConversationState:
    """Read a conversation; `partial` is the assistant's text to go on with."""
    question, said = "", ""
    past: list[str] = []
    for message in messages:
        text = _text(message.get("content"))
        match message.get("role"):
            case "assistant":
                said += text if not said or said.endswith("\n") else f"\n{text}"
            case "user" | "tool" if text.startswith("Result:"):
                said = f"{said.rstrip()}\n{text}\n"
            case "user" if text != GO_ON:
                past += [said] if said else []
                question, said = own_words(text), ""
    return ConversationState(question, said + partial, tuple(past))


def error(result: Seen) -> tuple[str, str] | None:
    """Return name and text of the exception that a result ends with, if it does."""
    found = list(ERROR.finditer(result.text))
    return (found[-1]["name"], found[-1]["text"] or "") if found else None


def _seen(match: re.Match[str]) -> Seen:
    line = match["line"] or ""
    if line.startswith("(") and line.endswith(")"):
        return Seen("", line[1:-1])
    return Seen((line or match["body"] or match["other"] or "").strip(), match["end"] or "")


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, Sequence) else ()
    return "\n".join(str(part.get("text") or "") for part in parts if isinstance(part, Mapping)).strip()
