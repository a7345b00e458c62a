"""Where the outputs of a block have their place in a reply: between two marks.

The webui keeps a reply as text and makes its page of that, so the text has to say where an element stands.
Models never read the marks: they are taken out of every prompt. The page has the element in the place of the
block's fence, the marks, and all between them; that stands within the element, for whoever cannot see it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
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
"""Stands for an element while the webui makes HTML of the rest; nobody outside of this process knows it."""


def identity(message: str, ordinal: int) -> str:
    """The id of a block: of the reply's name, which nobody can guess, and the block's number in it."""
    return f"{message}-{ordinal}"


def taken_apart(identity: str) -> tuple[str, int] | None:
    """The reply's name and the block's number; None where it is no such id."""
    if not re.fullmatch(_ID, identity):
        return None
    message, _, ordinal = identity.rpartition("-")
    return message, int(ordinal)


def opening(identity: str) -> str:
    """The mark that stands below a block's fence."""
    return f"[output](coderunner:{identity})"


def closing(identity: str) -> str:
    """The mark that stands below what the model reads of it."""
    return f"[/output](coderunner:{identity})"


def thought() -> tuple[str, str]:
    """What stands before a thought that follows a result, and what after it; nobody can guess them."""
    name = token_hex(16)
    # The unseen space: a word before a line's end may be a tag to the webui, and would end there.
    return f"\u200b\n[thought](coderunner:{name})\n", f"\u200b\n[/thought](coderunner:{name})\n"


def without(text: str) -> str:
    """`text` as a model reads it."""
    return _EITHER.sub("", _THOUGHT.sub("", text))


def opened(text: str) -> frozenset[str]:
    """The ids of the blocks that have their place in `text`."""
    return frozenset(found[1] for found in _OPENING.finditer(text))


def html(text: str, convert: Convert) -> str:
    """What the page has for the `text` of a message, which is HTML-escaped as the webui gives it."""
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
    """A thought as the webui shows the one at the beginning of a reply: of that it makes a folded part."""
    rest = f"\n\n{_TOKEN}rest" if finished else ""
    page = convert(f"&lt;think&gt;\n{thought}\n&lt;/think&gt;{rest}", finished=finished)
    page = re.sub(rf"(?:<p>\s*)?{_TOKEN}rest(?:\s*</p>)?", "", page)
    # The page keeps by this name which ones a person has opened.
    return re.sub(r'(data-block-id="[^"]*)"', rf'\1-after-{number}"', page, count=1)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """The place of an element, and the text in whose stead it stands."""

    identity: str
    text: str
    finished: bool


def _parts(text: str) -> Iterator[str | Placeholder]:
    """The text in pieces: what the page shows as it is, and the places."""
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
            yield Placeholder(found[1], f"{text[start:at]}{text[end:until]}", finished)
            done = end = after
        elif mark := _FENCE.match(line.rstrip("\r\n")):
            if fence is None:
                fence = (at, mark[1])
            elif mark[1].startswith(fence[1]) and not mark[2].strip():
                closed, fence = (fence[0], end), None
        at = end
    yield text[done:]


def _inside(text: str, at: int, identity: str) -> tuple[int, int, bool]:
    """Where what the model reads of a block ends, where the text goes on, and whether that is all of it."""
    mark = closing(identity)
    until = text.find(mark, at)
    if until >= 0:
        after = until + len(mark)
        return until, after + text[after : after + 1].count("\n"), True
    # Its result has just come, and what follows is not there yet.
    rest = text[at:].lstrip()
    end = len(text) if rest.startswith("Result") else at
    return end, end, False
