"""A link reference definition, read line by line as markdown-it reads it (CommonMark 4.7).

It looks like a paragraph until it is over, and what follows it is no continuation of one. Whether it is one
may be known only lines later, so its reader tells from which line on the lines are to be read once more.
"""

import re
from collections.abc import Callable
from enum import Enum, auto

from markdown_it import MarkdownIt
from markdown_it.helpers import parseLinkDestination

from coderunner.chat.parsing.line_starts import skip

_LABEL = re.compile(r"(?:\\[\s\S]|[^\[\]\\])*")
_TITLES = {
    '"': ('"', re.compile(r'(?:\\[\s\S]|[^"\\])*')),
    "'": ("'", re.compile(r"(?:\\[\s\S]|[^'\\])*")),
    "(": (")", re.compile(r"(?:\\[\s\S]|[^()\\])*")),
}
# What markdown-it takes for white space around a label.
_BLANK = "\t\n\v\f\r \xa0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_SCHEME = 400
"""Characters of an address that are looked at to see whether markdown-it takes it for a dangerous one."""

_LINKS = MarkdownIt("commonmark")


class Verdict(Enum):
    """What the lines so far are."""

    OPEN = auto()
    """Not yet certain."""
    PARAGRAPH = auto()
    """No definition: all lines after the first are to be read once more, as what may follow it."""
    DEFINITION = auto()
    """A definition, and over."""
    SETTLED = auto()
    """The first `Definition.settled` lines are a definition; those after them are to be read once more."""


class Definition:
    """Reads what may be a link definition; each line from its first character that is no white space."""

    __slots__ = ("_close", "_count", "_full", "_named", "_own", "_step", "_title", "settled")

    def __init__(self) -> None:
        self.settled = 0
        """So many lines are a definition, whatever becomes of the others."""
        self._count = 0
        self._named = False
        self._own = True  # The title stands on lines of its own.
        self._full = False  # It has a character at least.
        self._close, self._title = _TITLES['"']
        self._step: Callable[[str, int], Verdict] = self._label

    def receive(self, line: str) -> Verdict:
        """Read one more line, given without its end. The first begins with a bracket."""
        self._count += 1
        return self._step(f"{line}\n", 1 if self._count == 1 else 0)

    def close(self) -> Verdict:
        """No line follows that can belong to it."""
        titled = self._step == self._before_title or (self._step == self._in_title and self._own)
        return Verdict.SETTLED if titled else Verdict.PARAGRAPH

    def _label(self, line: str, position: int) -> Verdict:
        end = _end(_LABEL, line, position)
        self._named = self._named or bool(line[position:end].strip(_BLANK))
        if end == len(line):
            return Verdict.OPEN
        if not (line.startswith("]:", end) and self._named):
            return Verdict.PARAGRAPH
        return self._destination(line, end + 2)

    def _destination(self, line: str, position: int) -> Verdict:
        position = skip(line, position)
        if line[position] == "\n":
            self._step = self._destination
            return Verdict.OPEN
        found = parseLinkDestination(line, position, len(line))
        if not (found.ok and _LINKS.validateLink(_LINKS.normalizeLink(found.str[:_SCHEME]))):
            return Verdict.PARAGRAPH
        position = skip(line, found.pos)
        if position == len(line):
            return Verdict.DEFINITION  # A backslash at its end has taken the line end in; no title follows.
        if line[position] == "\n":
            self.settled, self._step = self._count, self._before_title
            return Verdict.OPEN
        self._own = False
        return self._before_title(line, position) if position > found.pos else Verdict.PARAGRAPH

    def _before_title(self, line: str, position: int) -> Verdict:
        if line[position] not in _TITLES:
            return self._without_title
        self._close, self._title = _TITLES[line[position]]
        return self._in_title(line, position + 1)

    def _in_title(self, line: str, position: int) -> Verdict:
        end = _end(self._title, line, position)
        self._full = self._full or end > position
        if end == len(line):
            self._step = self._in_title
            return Verdict.OPEN
        if line[end] != self._close:
            return self._without_title
        if line[skip(line, end + 1)] == "\n":
            return Verdict.DEFINITION
        # What stands behind a title makes that no title, but behind an empty one makes all of it a paragraph.
        return self._without_title if self._full else Verdict.PARAGRAPH

    @property
    def _without_title(self) -> Verdict:
        return Verdict.SETTLED if self._own else Verdict.PARAGRAPH


def _end(pattern: re.Pattern[str], line: str, position: int) -> int:
    found = pattern.match(line, position)
    return found.end() if found else position
