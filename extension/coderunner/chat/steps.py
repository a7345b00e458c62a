"""What a turn tells a driver to do: text to append, code to run, and when the model goes on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, auto
from typing import Literal

from coderunner.chat.results.result_text import Heading
from coderunner.outputs import Cell, Result


class Part(StrEnum):
    """What a piece of a reply is to a reader."""

    TEXT = auto()
    THOUGHT = auto()
    CODE = auto()
    """Lines of a fence that runs when it closes, the opening and the closing line included."""
    RESULT = auto()


@dataclass(frozen=True, slots=True)
class Say:
    """Append this to the reply."""

    text: str
    part: Part = Part.TEXT


@dataclass(frozen=True, slots=True)
class Prepare:
    """The first fence that may run has opened: have a kernel ready."""


@dataclass(frozen=True, slots=True)
class Run:
    """Stop the model and run this; then give `Turn.receive_result` its outcome."""

    cell: Cell
    ordinal: int
    """How many blocks that run stand before it in the reply, those of the prior text among them."""
    refused: str = ""
    """Why it is not to run: nobody is asked, and this is its outcome."""


@dataclass(frozen=True, slots=True)
class Generate:
    """Let the model go on from the reply."""

    reply: str
    result: str
    """The end of the reply that is ours: the last result. Empty at the first call."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The turn is over."""

    reason: Literal["end", "stop", "limit"]


Step = Say | Prepare | Run | Generate | Finish


@dataclass(frozen=True, slots=True)
class TurnResult:
    """A result, with the host's Markdown for its images, in the order of `result_text.images`."""

    result: Result
    pictures: Sequence[str] = ()
    heading: Heading = Heading.LATE
    """What it is introduced as; late results come along with that of the cell that ran."""
    edited: Cell | None = None
    """What ran in place of the cell, where a person changed it first."""
    links: Mapping[str, str] = field(default_factory=dict)
    """The host's addresses for its files, by their paths."""


class MergedSteps:
    """Collects steps and merges adjacent text of the same part into one `Say`."""

    __slots__ = ("_part", "_steps", "_texts")

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self._texts: list[str] = []
        self._part = Part.TEXT

    def say(self, text: str, part: Part) -> None:
        """Add text; what comes before it of the same part goes into the same step."""
        if part is not self._part:
            self._end_text()
            self._part = part
        self._texts.append(text)

    def add(self, step: Step) -> None:
        """Add a step that is no text."""
        self._end_text()
        self._steps.append(step)

    def steps(self) -> list[Step]:
        """All steps so far."""
        self._end_text()
        return self._steps

    def _end_text(self) -> None:
        if self._texts:
            self._steps.append(Say("".join(self._texts), self._part))
            self._texts = []


def merged(steps: Iterable[Step]) -> list[Step]:
    """The steps, with adjacent text of the same part merged into one `Say`."""
    said = MergedSteps()
    for step in steps:
        if isinstance(step, Say):
            said.say(step.text, step.part)
        else:
            said.add(step)
    return said.steps()
