"""Unfinished lines that may open or close a fence: judged with each piece, in constant memory."""

import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from coderunner.chat.parsing.block_structure import Opening
from coderunner.text.line_splitter import several

STARTS = frozenset(" \t`~-+*0123456789")
"""A line that begins with anything else opens no fence."""

LINE_ENDS = ("\n", "\r", "\r\n")

# CommonMark 4.5: the info string of a backtick fence may not contain a backtick, so "```a```" is inline
# code and must reach the reader at once. Only list markers may stand before a fence: with a ">" it lies in
# a block quote, and only then does it.
_LEAD = r"[ \t]*(?:(?:[-+*]|[0-9]{1,9}[.)])[ \t]+)*"
_OPENING = re.compile(rf"{_LEAD}(?:(?P<ticks>`{{3,}})[^`\r\n]*|(?P<tildes>~{{3,}})[^\r\n]*)(?:\r\n?|\n)?\Z")
_LINE_END = re.compile(r"[\r\n]")
# An unfinished line: with a fence's marker, or with what can still become one or a list marker at its end.
_UNFINISHED = re.compile(
    rf"{_LEAD}(?:(?P<ticks>`{{3,}})|(?P<tildes>~~~)"
    r"|(?P<tail>(?:[-+*]|[0-9]{1,9}[.)]?|`{1,2}|~{1,2})?)\Z)"
)


@dataclass(frozen=True, slots=True)
class Fence:
    """An open fence."""

    marker: str
    length: int
    info: str
    place: Opening

    def may_end_with(self, first: str) -> bool:
        """Whether a line that begins with this character may end it; any other line is code as it stands."""
        return first == self.marker or first in " \t" or (self.place.indent > 0 and first not in LINE_ENDS)


def opened(line: str, place: Opening) -> Fence:
    """The fence that a line opens; `opening` holds for the line."""
    found = _OPENING.match(line)
    assert found is not None  # noqa: S101 - said above
    marker = found["ticks"] or found["tildes"]
    info = line[found.end(found.lastgroup or 0) :].strip(" \t\r\n")
    return Fence(marker[0], len(marker), info, place)


def opening(line: str) -> bool:
    """Whether a whole line looks as if it opens a fence. Whether it does depends on what stands before."""
    return ("```" in line or "~~~" in line) and _OPENING.match(line) is not None


class OpeningLine:
    """The beginning of a line outside of fences."""

    __slots__ = ("_marker", "_tail")

    def __init__(self) -> None:
        self._tail = ""
        self._marker = ""

    def receive(self, piece: str) -> bool:
        """Whether the unfinished line, with this piece, may still open a fence."""
        if self._marker:
            return self._marker == "~" or "`" not in piece
        found = _UNFINISHED.match(self._tail + piece)
        if found is None:
            return False
        if found["tail"] is not None:
            self._tail = found["tail"]
        elif found["tildes"]:
            self._marker = "~"
        elif found.end() < len(found.string):
            self._marker = "`"
            return "`" not in found.string[found.end() :]
        else:
            self._tail = "```"
        return True


class Verdict(Enum):
    """What a line in a fence is."""

    OPEN = auto()
    """Not yet certain."""
    CODE = auto()
    CLOSING = auto()
    OUTSIDE = auto()
    """It lies outside of the list item that holds the fence, so the fence has ended."""


class ClosingLine:
    """The beginning of a line in a fence."""

    __slots__ = ("_fence", "_head", "_run", "_trailing")

    def __init__(self, fence: Fence) -> None:
        self._fence = fence
        self._head = ""
        self._run = 0
        self._trailing = False

    @property
    def closing(self) -> bool:
        """Whether the line, as far as it is known, closes the fence."""
        return self._run >= self._fence.length

    def receive(self, piece: str) -> Verdict:
        """What the line is, as far as it can be known after this piece."""
        if not self._run:
            self._head += piece
            piece = self._head.lstrip(" \t")
            verdict = self._margin(piece)
            if verdict is not Verdict.CLOSING:
                return verdict
        return self._marked(piece)

    def _margin(self, rest: str) -> Verdict:
        """What the white space before *rest* makes of the line: CLOSING if it can be a closing one."""
        column = columns(self._head[: len(self._head) - len(rest)]) - self._fence.place.indent
        if rest in LINE_ENDS or column >= 4:
            # A blank line belongs to any fence; a marker that is indented so far would be indented code.
            return Verdict.CODE
        if not rest:
            return Verdict.OPEN
        if column < 0:
            return Verdict.OUTSIDE
        return Verdict.CLOSING if rest[0] == self._fence.marker else Verdict.CODE

    def _marked(self, piece: str) -> Verdict:
        if not self._trailing:
            rest = piece.lstrip(self._fence.marker)
            self._run += len(piece) - len(rest)
            self._trailing = rest != ""
            piece = rest
            if self._trailing and not self.closing:
                return Verdict.CODE
        rest = piece.lstrip(" \t")
        if not rest:
            return Verdict.OPEN
        return Verdict.CLOSING if rest in LINE_ENDS else Verdict.CODE


def columns(space: str) -> int:
    """The width of white space at the beginning of a line; a tab goes on to the next multiple of four."""
    return len(space.expandtabs(4))


@lru_cache(maxsize=32)
def _margin(width: int) -> re.Pattern[str]:
    """The indentation that lines of a fence lose, where it is of blanks alone."""
    return re.compile(rf"(?:\A|(?<=[\r\n])) {{{width}}}")


@lru_cache(maxsize=32)
def _lacking(width: int) -> re.Pattern[str]:
    """The beginning of a line that has text before that column, or a tab."""
    return re.compile(rf"(?:\A|(?<=[\r\n]))(?! {{{width}}}|[\r\n])")


class CodeLines:
    """Finds in a text, whose line ends are certain, lines of a fence that are code as they stand.

    All searches in one text together cost time in proportion to its length.
    """

    __slots__ = ("_lacking", "_text", "_whole")

    def __init__(self, text: str) -> None:
        self._text = text
        self._whole = max(text.rfind("\n"), text.rfind("\r")) + 1
        self._lacking: dict[int, int] = {}
        """For a width, where the next line is that lacks it."""

    def until(self, start: int, fence: Fence) -> int:
        """The end of the whole lines at *start*, a line's beginning, none of which can close or leave it."""
        text, marker = self._text, fence.marker * fence.length
        end = self._indented_until(start, fence.place.column)
        line, at = start, text.find(marker, start, end)
        while at >= 0:
            line = max(text.rfind("\n", line, at) + 1, text.rfind("\r", line, at) + 1, line)
            if not text[line:at].strip(" \t"):
                return line
            following = _LINE_END.search(text, at, end)
            line = following.end() if following else end
            at = text.find(marker, line, end)
        return max(start, end)

    def _indented_until(self, start: int, width: int) -> int:
        if not width:
            return self._whole
        if self._lacking.get(width, -1) < start:
            found = _lacking(width).search(self._text, start, self._whole)
            self._lacking[width] = found.start() if found else self._whole
        return self._lacking[width]


def without_indentation(line: str, width: int) -> str:
    """The line without white space up to that column; a tab that reaches beyond it leaves spaces.

    The same for several lines that `CodeLines` found.
    """
    if not width:
        return line
    if several(line):
        return _margin(width).sub("", line)
    column = position = 0
    while column < width and position < len(line) and line[position] in " \t":
        column += 4 - column % 4 if line[position] == "\t" else 1
        position += 1
    return " " * max(column - width, 0) + line[position:]
