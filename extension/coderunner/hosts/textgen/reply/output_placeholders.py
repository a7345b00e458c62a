"""The place of a block's outputs in the text of a reply: between two markers.

The webui saves a reply as text and renders its page from that, so the text has to say where an element is.
Models never read the markers: they are removed from every prompt. In the page, the element replaces the
block's fence, the markers and the text between them; that text is inside it, as a fallback.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from secrets import token_hex

from coderunner.hosts.textgen.webui.webui_patches import Convert
from coderunner.page.html import block_html

_ID = r"[0-9a-f]{32}-\d{1,4}"
_OPENING = re.compile(rf"\[output\]\(coderunner:({_ID})\)\s*")
_EITHER = re.compile(rf"\[/?output\]\(coderunner:{_ID}\)\n?")
_THOUGHT = re.compile(
    r"\u200b\n\[thought\]\(coderunner:([0-9a-f]{32})\)\n(.*?)"
    r"(\u200b\n\[/thought\]\(coderunner:\1\)(?:\n|\Z)|\Z)",
    re.DOTALL,
)

_FENCE = re.compile(r"(?:[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+)*[ \t]*(`{3,}|~{3,})(.*)")
"""A line that may open a fence, also within a list, or close one."""

_TOKEN = f"coderunner{token_hex(8)}n"
"""Stands for an element while the webui renders the rest; unknown outside of this process."""


def identity(message: str, ordinal: int) -> str:
    """The id of a block: its reply's name, which is random, and its number in the reply."""
    return f"{message}-{ordinal}"


def taken_apart(identity: str) -> tuple[str, int] | None:
    """The reply's name and the block's number; None if it is no such id."""
    if not re.fullmatch(_ID, identity):
        return None
    message, _, ordinal = identity.rpartition("-")
    return message, int(ordinal)


def opening(identity: str) -> str:
    """The marker below a block's fence."""
    return f"[output](coderunner:{identity})"


def closing(identity: str) -> str:
    """The marker below what the model reads of it."""
    return f"[/output](coderunner:{identity})"


def thought() -> tuple[str, str]:
    """The markers before and after a thought that follows a result; they are random."""
    name = token_hex(16)
    # The zero-width space: the webui may take a word before a line break for a tag.
    return f"\u200b\n[thought](coderunner:{name})\n", f"\u200b\n[/thought](coderunner:{name})\n"


def without(text: str) -> str:
    """`text` as a model reads it."""
    return _EITHER.sub("", _THOUGHT.sub("", text))


def opened(text: str) -> frozenset[str]:
    """The ids of the blocks with a place in `text`."""
    return frozenset(found[1] for found in _OPENING.finditer(text))


Note = Callable[[str, str, str], None]
"""Called with the id of a block, its fence and what the model read of its result."""


def html(text: str, convert: Convert, note: Note | None = None) -> str:
    """The HTML of a message's `text`, which comes HTML-escaped from the webui; `note` gets finished ones."""
    if "](coderunner:" not in text:
        return convert(text)
    thoughts = [found.group(2, 3) for found in _THOUGHT.finditer(text)]
    numbers = iter(range(len(thoughts)))
    text = _THOUGHT.sub(lambda _found: f"\n\n{_TOKEN}t{next(numbers)}n\n\n", text)
    parts = list(_parts(text))
    places = [part for part in parts if isinstance(part, Placeholder)]
    tokens = iter(range(len(places)))
    source = "".join(
        f"\n\n{_TOKEN}{next(tokens)}n\n\n" if isinstance(part, Placeholder) else part for part in parts
    )
    page = convert(source)
    for number, place in enumerate(places):
        if note is not None and place.finished:
            note(place.identity, unescape(place.fence), unescape(place.read))
        stands = re.compile(rf"(?:<p>\s*)?{_TOKEN}{number}n(?:\s*</p>)?")
        inside = convert(place.text, finished=place.finished) if place.text.strip() else ""
        element = f'<div class="coderunner-slot">{block_html.placeholder(place.identity, inside)}</div>'
        page = stands.sub(lambda _found, element=element: element, page)  # type: ignore[misc]
    for number, (said, end) in enumerate(thoughts):
        stands = re.compile(rf"(?:<p>\s*)?{_TOKEN}t{number}n(?:\s*</p>)?")
        block = _folded(said, number, convert, finished=bool(end))
        page = stands.sub(lambda _found, block=block: block, page)  # type: ignore[misc]
    return page


def _folded(thought: str, number: int, convert: Convert, *, finished: bool) -> str:
    """A thought as the webui shows one at the beginning of a reply: folded."""
    rest = f"\n\n{_TOKEN}rest" if finished else ""
    page = convert(f"&lt;think&gt;\n{thought}\n&lt;/think&gt;{rest}", finished=finished)
    page = re.sub(rf"(?:<p>\s*)?{_TOKEN}rest(?:\s*</p>)?", "", page)
    # The page remembers by this name which ones the user has opened.
    return re.sub(r'(data-block-id="[^"]*)"', rf'\1-after-{number}"', page, count=1)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """The place of an element, and the text that it replaces."""

    identity: str
    fence: str
    read: str
    """What the model read of the result."""
    finished: bool

    @property
    def text(self) -> str:
        """All of it."""
        return self.fence + self.read


def _parts(text: str) -> Iterator[str | Placeholder]:
    """The text in pieces: plain text, and the places of elements."""
    done = at = 0
    fence: tuple[int, str] | None = None
    closed = (0, -1)
    while at < len(text):
        end = text.find("\n", at) + 1 or len(text)
        line = text[at:end]
        found = None if fence else _OPENING.fullmatch(line)
        if found:
            start = closed[0] if closed[1] == at else at
            until, after, finished = _inside(text, end, found[1])
            yield text[done:start]
            yield Placeholder(found[1], text[start:at], text[end:until], finished)
            done = end = after
        elif marker := _FENCE.match(line.rstrip("\r\n")):
            if fence is None:
                fence = (at, marker[1])
            elif marker[1].startswith(fence[1]) and not marker[2].strip():
                closed, fence = (fence[0], end), None
        at = end
    yield text[done:]


def _inside(text: str, at: int, identity: str) -> tuple[int, int, bool]:
    """The end of a block's result, the position after its marker, and whether the result is complete."""
    marker = closing(identity)
    until = text.find(marker, at)
    if until >= 0:
        after = until + len(marker)
        return until, after + text[after : after + 1].count("\n"), True
    # The result has just begun; nothing follows it yet.
    rest = text[at:].lstrip()
    end = len(text) if rest.startswith("Result") else at
    return end, end, False
