"""The table of displays: what programs show, and what a person is to see of it.

A file of `displays` has one display after the other:

    # %% library: what it shows
    #: see CSS of what is to be seen | or this
    #: text words in it
    code
    #: next
    code of another block, which is the one that is looked at

What may be said behind `#:` are the fields of `Display`; `see` is Playwright's selector.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

FOLDER = Path(__file__).parent / "displays"

Outcome = Literal["shown", "sentence", "text", "error", "blank"]
OUTCOMES: Mapping[Outcome, str] = {
    "shown": "what the library draws",
    "sentence": "one sentence that says why it cannot be shown, and what can",
    "text": "the output's own text in place of what it draws",
    "error": "the program's error, which says what is missing",
    "blank": "nothing",
}
"""What a person sees."""

_HEAD = re.compile(r"^# %% ", re.MULTILINE)
_NEXT = re.compile(r"^#: next\n", re.MULTILINE)
_SAID = re.compile(r"^#: (\w+) ?(.*)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Display:
    """A program that shows something."""

    theme: str
    """The name of its file."""
    library: str
    what: str
    blocks: tuple[str, ...]
    """Its code; the last one is looked at, unless `look` says `first`."""
    see: str
    """Where the drawing is: Playwright's selectors, with ` | ` between those of which one is enough."""
    text: str = ""
    """What is to be read in it."""
    ink: int = 0
    """How many colours it has at least: a canvas may be there and empty."""
    high: int = 0
    """Pixels that it is high at least."""
    wide: int = 0
    """Pixels that it is wide, exactly."""
    inner: str = ""
    """What is to be seen in a frame within it."""
    expect: Outcome = "shown"
    says: str = ""
    """What is to be read where it is not shown."""
    why: str = ""
    """Why it is not shown as in a notebook."""
    dark: bool = False
    """It is looked at in the dark theme, too."""
    look: str = "last"
    reads: str = ""
    """What the model reads, as a pattern."""
    environment: str = "main"

    @property
    def name(self) -> str:
        """The words by which it is known; no other display has them."""
        return f"{self.library}: {self.what}"


_KINDS = {each.name: each.type for each in fields(Display)}


def displays() -> tuple[Display, ...]:
    """All of them, in the order of their files."""
    return tuple(each for path in sorted(FOLDER.glob("*.txt")) for each in _read(path))


def _read(path: Path) -> Iterator[Display]:
    for piece in _HEAD.split(path.read_text(encoding="utf-8"))[1:]:
        title, _, rest = piece.partition("\n")
        library, _, what = title.partition(": ")
        blocks = _NEXT.split(rest)
        said = dict(_SAID.findall(blocks[0]))
        blocks[0] = _SAID.sub("", blocks[0])
        code = tuple(block.rstrip("\n") for block in blocks)
        yield Display(path.stem, library, what, code, **_typed(title, said))


def _typed(title: str, said: Mapping[str, str]) -> Mapping[str, Any]:
    """What is said of a display, as its fields have it.

    Raises ValueError where something else is said.
    """
    if wrong := said.keys() - _KINDS.keys() or {said.get("expect", "shown")} - set(get_args(Outcome)):
        message = f"{title}: nobody knows {', '.join(wrong)}"
        raise ValueError(message)
    made: Mapping[object, Callable[[str], object]] = {int: int, bool: lambda _: True}
    return {key: made.get(_KINDS[key], str)(value) for key, value in said.items()}
