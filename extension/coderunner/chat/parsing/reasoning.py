"""Which spans of a reply are reasoning: nothing in them runs.

Reasoning models put their thought into the reply between tags, one pair for each family of models. Servers
with a reasoning parser take it out before we see it; the others leave it in.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto


@dataclass(frozen=True, slots=True)
class Family:
    """The tags of one family of models, in lower case; models write them in any."""

    opening: tuple[str, ...]
    closing: tuple[str, ...]
    implied: bool = True
    """Whether a closing tag says that everything before it was thought when no opening one was seen:
    templates of this family put the opening tag into the prompt."""


def _pair(name: str) -> Family:
    return Family((f"<{name}>",), (f"</{name}>",))


# gpt-oss writes channels, not pairs: a thought ends where its message ends or where the final channel begins.
_HARMONY = Family(
    ("<|channel|>analysis", "<|channel|>commentary"),
    ("<|end|>", "<|channel|>final<|message|>"),
    implied=False,
)

FAMILIES = (
    _pair("think"),  # DeepSeek R1, Qwen3, GLM, Phi-4, MiniMax and most others
    _pair("thinking"),  # Reflection, prompts in the style of Anthropic
    _pair("thought"),  # EXAONE Deep
    _pair("thoughts"),
    _pair("reasoning"),
    _pair("reflection"),
    _pair("antthinking"),
    _pair("longcat_think"),
    _pair("seed:think"),  # Seed-OSS
    Family(("◁think▷",), ("◁/think▷",)),  # Kimi
    Family(("[think]",), ("[/think]",)),  # Magistral
    Family(("<|begin_of_thought|>",), ("<|end_of_thought|>",)),  # OpenThinker
    Family(("<|start_thinking|>",), ("<|end_thinking|>",)),  # Command A
    Family(("<|inner_prefix|>",), ("<|inner_suffix|>",)),  # Apertus
    Family(("<|think|>",), ("<|end|>", "<|content|>"), implied=False),  # Solar Open
    Family(("<|channel>thought",), ("<channel|>",)),  # Gemma 4
    _HARMONY,
)

# Framing of gpt-oss between its messages: no thought and nothing to read either.
_FRAMING = ("<|start|>assistant", "<|return|>")

_PAIRED = dict.fromkeys(tag for family in FAMILIES for tag in (*family.opening, *family.closing))
TAGS = (*_PAIRED, *_FRAMING)
"""All tags, for those who must not let a program print one."""

_OPENING = {tag: family for family in FAMILIES for tag in family.opening}
_IMPLIED = {tag for family in FAMILIES if family.implied for tag in family.closing}
_TAG = re.compile(
    "|".join(
        f"{re.escape(first)}(?:{'|'.join(re.escape(tag[1:]) for tag in TAGS if tag[0] == first)})"
        for first in dict.fromkeys(tag[0] for tag in TAGS)
    ),
    re.IGNORECASE | re.ASCII,
)
_BEGINS = re.compile(rf"\A(?:\s*(?:{_TAG.pattern}))+(?:<\|message\|>)?", re.IGNORECASE)
_ENDS = re.compile(rf"(?:{_TAG.pattern})\s*\Z", re.IGNORECASE)
# What every tag begins with: text without one of these can hold no tag.
_FIRST = re.compile("[<[◁]")
_BEGINNINGS = frozenset(tag[:size] for tag in TAGS for size in range(1, len(tag)))
_LONGEST = max(map(len, TAGS))
_SHORTEST = min(map(len, TAGS))


def without_tags(thought: str) -> str:
    """A thought as somebody reads it: without the tags that it begins and ends with."""
    bare = _BEGINS.sub("", thought)
    return _ENDS.sub("", bare).strip()


def without_thoughts(text: str) -> str:
    """A whole text as somebody reads it, without what its model thought."""
    thoughts = Thoughts()
    visible: list[str] = []
    for span in (*thoughts.receive(text), *thoughts.close()):
        if span.kind is Kind.STRAY:
            visible.clear()
        elif span.kind is Kind.VISIBLE:
            visible.append(span.text)
    return "".join(visible)


class Kind(Enum):
    """What a span of a reply is."""

    VISIBLE = auto()
    THOUGHT = auto()
    """Thought, or a tag."""
    STRAY = auto()
    """A closing tag without an opening one: everything before it was thought, though nobody could know."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a reply."""

    text: str
    kind: Kind


class Thoughts:
    """Separates reasoning from the rest, as the text outside of fences comes in.

    `prompted` says that the prompt ended in an opening tag, so that the reply begins inside a thought.
    An unclosed thought goes on to the end. Tags of the same family nest. An opening tag directly after a
    backtick is one that the reply talks about.
    """

    __slots__ = ("_depth", "_family", "_held", "_last", "_untouched")

    def __init__(self, *, prompted: bool = False) -> None:
        self._depth = 1 if prompted else 0
        # None inside a thought: the prompt opened it, and any family's tag closes it.
        self._family: Family | None = None
        self._held = ""
        self._last = ""
        self._untouched = prompted

    @property
    def inside(self) -> bool:
        """Whether a thought is open."""
        return self._depth > 0

    @property
    def ending(self) -> str:
        """What closes the thought that is open; empty where none is."""
        family = self._family.closing if self._family else FAMILIES[0].closing
        return family[0] * self._depth

    def visible(self, text: str) -> str | None:
        """What is certain by now, where it is no thought and holds no tag; it is taken note of then.

        None where it may be another thing, for `receive` to tell.
        """
        if self._depth:
            return None
        if self._held or _FIRST.search(text):
            text = self._held + text
            if len(text) >= _SHORTEST and _TAG.search(text):
                return None
            end = _incomplete(text, 0)
            text, self._held = text[:end], text[end:]
        if text:
            self._note(text)
        return text

    def thinks(self, text: str) -> bool:
        """Whether the text is thought and neither holds a tag nor begins one; it is taken note of then."""
        if not self._depth or self._held or _FIRST.search(text):
            return False
        self._note(text)
        return True

    def receive(self, text: str) -> list[Span]:
        """The spans that are certain by now. Held back is only the beginning of a possible tag."""
        if self._held or _FIRST.search(text):
            return self._read(self._held + text)
        return [self._plain(text)] if text else []

    def close(self) -> list[Span]:
        """What was held back, now that nothing follows."""
        held, self._held = self._held, ""
        return [self._plain(held)] if held else []

    def _read(self, text: str) -> list[Span]:
        spans: list[Span] = []
        position = 0
        for tag in _TAG.finditer(text) if len(text) >= _SHORTEST else ():
            if tag.start() > position:
                spans.append(self._plain(text[position : tag.start()]))
            spans.append(self._tag(tag[0]))
            position = tag.end()
        end = _incomplete(text, position)
        self._held = text[end:]
        if end > position:
            spans.append(self._plain(text[position:end]))
        return spans

    def _plain(self, text: str) -> Span:
        self._note(text)
        return Span(text, Kind.THOUGHT if self._depth else Kind.VISIBLE)

    def _note(self, text: str) -> None:
        self._last = text[-1]
        if self._untouched:
            self._untouched = text.isspace()

    def _tag(self, text: str) -> Span:
        tag = text.lower()
        kind = self._think(tag) if self._depth else self._speak(tag)
        self._last = text[-1]
        self._untouched = False
        return Span(text, kind)

    def _think(self, tag: str) -> Kind:
        """A tag inside a thought."""
        family = _OPENING.get(tag)
        if family is None:
            self._depth -= self._closes(tag)
        elif self._untouched:
            self._family = family  # the model says once more what the prompt said already
        elif family is self._family and family is not _HARMONY:
            self._depth += 1
        return Kind.THOUGHT

    def _closes(self, tag: str) -> bool:
        return tag not in _FRAMING if self._family is None else tag in self._family.closing

    def _speak(self, tag: str) -> Kind:
        """A tag outside of thought."""
        if self._last == "`":
            return Kind.VISIBLE
        if tag in _OPENING:
            self._family, self._depth = _OPENING[tag], 1
            return Kind.THOUGHT
        return Kind.STRAY if tag in _IMPLIED else Kind.THOUGHT


def _incomplete(text: str, start: int) -> int:
    """Where a tag begins that the next text may complete; the end of the text if none does."""
    start = max(start, len(text) - _LONGEST)
    found = _FIRST.search(text, start)
    while found and text[found.start() :].lower() not in _BEGINNINGS:
        found = _FIRST.search(text, found.end())
    return found.start() if found else len(text)
