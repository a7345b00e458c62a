"""Deltas of a reply in, fence events out.

The texts of all events, joined, are the reply; cutting the reply at other places changes nothing but the
sizes of the texts. What is a fence is markdown-it's decision (`block_structure`); what ends one is CommonMark
4.5, in the way that markdown-it reads it. Fences in block quotes are plain text here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import dedent

from coderunner.chat.parsing.block_structure import Blocks
from coderunner.chat.parsing.fence_lines import (
    STARTS,
    ClosingLine,
    CodeLines,
    Fence,
    OpeningLine,
    Verdict,
    opened,
    opening,
    without_indentation,
)
from coderunner.languages import PYTHON, Language
from coderunner.text.line_splitter import PIECE, LineSplitter, several

_ENDS = ("\n", "\r")

_PYTHON = re.compile(r"\{?[ \t]*\.?i?py", re.IGNORECASE)
"""How an info string begins that says Python, whichever; who calls our tool means Python anyway."""


_MARKER = re.compile(r"^[ \t>*+.\d-]*(?:```|~~~)", re.MULTILINE)
_PROGRAM = re.compile(r"\"{3}|'{3}|^[ \t]*[%!]", re.MULTILINE)
"""What a program has beside a line that looks like a fence: a string or a magic in which it stands."""


@dataclass(frozen=True, slots=True)
class Text:
    """Text outside of fences."""

    text: str


@dataclass(frozen=True, slots=True)
class FenceOpened:
    """A line that opened a code fence, with its line end."""

    text: str
    info: str
    """The info string, stripped: what stands after the marker."""


@dataclass(frozen=True, slots=True)
class Code:
    """A part of a line inside of a fence."""

    text: str
    code: str
    """The same without the indentation that belongs to the fence."""


@dataclass(frozen=True, slots=True)
class FenceClosed:
    """The line that closed the fence, with its line end if it has one."""

    text: str


@dataclass(frozen=True, slots=True)
class FenceAbandoned:
    """The fence ended without a closing line: its list item ended, or the reply did. Its code never runs."""

    text: str = ""


Event = Text | FenceOpened | Code | FenceClosed | FenceAbandoned


def unfenced(code: str, language: Language = PYTHON) -> str:
    """The code in a text of one fence, of this language or none, with words around it or none.

    Any other text as it is: what may be a program is one, also where a string in it has a fence. Models that
    write code for a tool put it into a fence now and then, and may forget to close it.
    """
    text = dedent(code.removeprefix("\ufeff")).strip("\r\n \t")
    if not _MARKER.search(text):
        return code
    parser = FenceParser()
    events = [*parser.receive(text), *parser.close()]
    said = "".join(event.text for event in events if isinstance(event, Text))
    found = [event for event in events if isinstance(event, FenceOpened)]
    if len(found) != 1 or _PROGRAM.search(said) or not _means(found[0].info, language):
        return code
    closed, around = any(isinstance(event, FenceClosed) for event in events), bool(said.strip())
    # A line with backticks is in no program, one that begins with tildes may be an expression.
    if (around or not closed) and ("`" not in found[0].text or (around and not closed)):
        return code
    return "".join(event.code for event in events if isinstance(event, Code))


def _means(info: str, language: Language) -> bool:
    return not info or language.runs(info) or (language.is_python and _PYTHON.match(info) is not None)


class FenceParser:
    """Reads a reply, piece by piece. Never raises."""

    __slots__ = (
        *("_blocks", "_closing", "_fence", "_free", "_held", "_lines", "_opening", "_outside", "_said"),
    )

    def __init__(self) -> None:
        self._lines = LineSplitter()
        self._blocks = Blocks()
        self._fence: Fence | None = None
        self._outside = ""
        self._start_line()

    def _start_line(self, *, free: bool = False) -> None:
        """Forget the line; *free* says that its rest can be nothing but what its beginning is."""
        self._free = free
        self._held: list[str] = []
        self._said = 0  # so many of the held pieces are in an event already
        self._opening: OpeningLine | None = None
        self._closing: ClosingLine | None = None

    @property
    def inside(self) -> bool:
        """Whether a fence is open."""
        return self._fence is not None

    @property
    def plain(self) -> bool:
        """Whether what comes before the next line end is text, whatever it is."""
        return self._free and self._fence is None

    def go_on(self, piece: str) -> None:
        """Read a piece of a line that is text. It has no line end."""
        self._blocks.append(piece)

    def receive(self, delta: str) -> list[Event]:
        """The events that are certain by now.

        Held back is only the beginning of a line that may still open or close a fence.
        """
        events: list[Event] = []
        for piece in self.cut(self._lines.certain(delta)):
            events += self.read(piece)
        return events

    def read(self, piece: str) -> list[Event]:
        """The same for a piece of `cut`."""
        events = self.read_inside(piece)
        return events + self.read(self.outside()) if self._outside else events

    def read_inside(self, piece: str) -> list[Event]:
        """The same, but for the beginning of a line that ends an open fence by lying outside of it.

        That text is then for `outside` to give, so that the caller can read it as it reads other text.
        """
        if not self._free:
            if self._fence is not None and not self._held and several(piece):
                return [Code(piece, without_indentation(piece, self._fence.place.column))]
            if self._held or self._may_matter(piece[0]):
                self._held.append(piece)
                return self._judge(piece)
            self._free = True
        if piece.endswith(_ENDS):
            self._start_line()
        if self._fence is None:
            self._blocks.append(piece)
            return [Text(piece)]
        return [Code(piece, piece)]

    def cut(self, text: str) -> Iterator[str]:
        """Cut a text whose line ends are certain into pieces, each to be read before the next is asked for.

        Each lies within one line, but for lines that are code as they stand: those come in one.
        """
        position = 0
        code: CodeLines | None = None
        while position < len(text):
            end = position
            if self._fence is not None and not (self._held or self._free):
                code = code or CodeLines(text)
                end = code.until(position, self._fence)
            if end == position and (found := PIECE.match(text, position)):
                end = found.end()
            yield text[position:end]
            position = end

    def outside(self) -> str:
        """What was given to `read_inside` and is still to be read; empty where no fence was left."""
        outside, self._outside = self._outside, ""
        return outside

    def flush(self) -> list[Event]:
        """What is held back of a line outside of fences, as text. How the line is read does not change."""
        if self._said == len(self._held):
            return []
        text, self._said = self._unsaid(), len(self._held)
        return [Text(text)]

    def _unsaid(self) -> str:
        return "".join(self._held[self._said :])

    def close(self) -> list[Event]:
        """The rest, now that the reply is over; a closing line needs no line end there."""
        events: list[Event] = []
        for piece in self._lines.close():
            events += self.read(piece)
        if self._held:
            events += self._last()
        if self._fence is not None:
            events += self._abandon()
        self._blocks.append("\n")
        self._start_line()
        return events

    def _may_matter(self, first: str) -> bool:
        """Whether a line that begins with this character may open or end a fence."""
        return first in STARTS if self._fence is None else self._fence.may_end_with(first)

    def _judge(self, piece: str) -> list[Event]:
        if self._fence is not None:
            self._closing = self._closing or ClosingLine(self._fence)
            return self._decide(self._closing.receive(piece))
        if piece.endswith(_ENDS):
            return self._settle()
        self._opening = self._opening or OpeningLine()
        return [] if self._opening.receive(piece) else self._release()

    def _settle(self) -> list[Event]:
        """Decide on the held line, which is whole and outside of fences."""
        line = "".join(self._held)
        return self._ask(line) if opening(line) else self._release()

    def _last(self) -> list[Event]:
        """The last line, which has no end."""
        if self._closing is None:
            return self._settle()
        return self._decide(Verdict.CLOSING if self._closing.closing else Verdict.CODE)

    def _decide(self, verdict: Verdict) -> list[Event]:
        match verdict:
            case Verdict.OPEN:
                return []
            case Verdict.CODE:
                return self._release()
            case Verdict.CLOSING:
                closed = FenceClosed("".join(self._held))
                self._end_fence()
                return [closed]
            case Verdict.OUTSIDE:
                self._outside = "".join(self._held)
                return self._abandon()

    def _ask(self, line: str) -> list[Event]:
        """Let markdown-it decide whether the held line opens a fence."""
        unsaid = self._unsaid()
        place = self._blocks.ask(line)
        if place is not None:
            self._fence = opened(line, place)
        self._start_line()
        return [Text(unsaid) if self._fence is None else FenceOpened(unsaid, self._fence.info)]

    def _release(self) -> list[Event]:
        text = "".join(self._held)
        unsaid = self._unsaid() if self._said else text
        self._start_line(free=not text.endswith(_ENDS))
        if self._fence is None:
            self._blocks.append(text)
            return [Text(unsaid)]
        return [Code(text, without_indentation(text, self._fence.place.column))]

    def _abandon(self) -> list[Event]:
        self._end_fence()
        return [FenceAbandoned()]

    def _end_fence(self) -> None:
        self._fence = None
        self._start_line()
