"""Finds the targets of links in a reply while it is written, so that they can lead to files. Pure.

A reply that streams cannot be changed afterwards: a link is held back from its `](` until its `)`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from coderunner.files.file_links import file_of

LONGEST = 500
"""Characters of a target; a longer one is not held back any further."""

_FENCE = re.compile(r" {0,3}(?P<mark>`{3,}|~{3,})")
_TITLE = re.compile(r"(?P<target>.*?)(?P<title>\s+(?:\"[^\"]*\"|'[^']*'))?\s*", re.DOTALL)
_RUNS = re.compile(r"`+|\n|[^`\n]+")


@dataclass(frozen=True, slots=True)
class Target:
    """What stands between the parentheses of a link, where it may mean a file."""

    text: str
    """As it was written, with a title that may follow."""
    path: str
    """The path of the file that it means."""
    title: str = ""
    """A title, with the blank before it."""


class LinkTargets:
    """Reads the prose of a reply; code that is run is no part of it. Cut anywhere, it gives the same."""

    def __init__(self) -> None:
        self._held = ""
        self._code = _CodeState()

    def receive(self, text: str) -> Iterator[str | Target]:
        """Give the text as far as it is certain, the targets of links apart."""
        text, self._held = self._held + text, ""
        given = at = 0
        while (found := text.find("]", at)) >= 0:
            self._code.receive(text[at:found])
            at = found
            end = 0 if self._code.inside else _end(text, at)
            if end is None:
                break
            if target := _target(text[at + 2 : end]) if end else None:
                yield text[given : at + 2]
                yield target
                given = at = end
            else:
                self._code.receive("]")
                at += 1
        else:
            self._code.receive(text[at:])
            at = len(text)
        self._held = text[at:]
        if given < at:
            yield text[given:at]

    def close(self) -> str:
        """What was held back, since no more text follows."""
        held, self._held = self._held, ""
        self._code.receive(held)
        return held


class _CodeState:
    """Whether the end of a text stands in code: in a fence, or in a span that has begun in its line."""

    def __init__(self) -> None:
        self._line = ""
        """The beginning of the line."""
        self._fence = ""
        """The marker of the fence that is open."""
        self._ticks = 0
        """The run of backticks that the text ends with."""
        self._span = 0
        """The backticks that opened a span."""

    @property
    def inside(self) -> bool:
        self._settle()
        return bool(self._fence or self._span or _FENCE.match(self._line))

    def receive(self, text: str) -> None:
        for run in _RUNS.findall(text):
            if run.startswith("`"):
                self._ticks += len(run)
            else:
                self._settle()
            if run == "\n":
                self._end_line()
            elif len(self._line) < LONGEST:
                self._line = (self._line + run)[:LONGEST]

    def _settle(self) -> None:
        if self._ticks:
            self._span = 0 if self._ticks == self._span else self._span or self._ticks
            self._ticks = 0

    def _end_line(self) -> None:
        line, self._line, self._span = self._line, "", 0
        if (found := _FENCE.match(line)) is None:
            return
        mark = found["mark"]
        if not self._fence:
            self._fence = mark
        elif mark.startswith(self._fence) and not line[found.end() :].strip():
            self._fence = ""


def _end(text: str, at: int) -> int | None:
    """Where the target ends of a link whose text ends `at`; 0 where it is none, None where more is needed."""
    if at + 1 == len(text):
        return None
    if text[at + 1] != "(":
        return 0
    depth = 0
    for index in range(at + 1, min(len(text), at + 2 + LONGEST)):
        match text[index]:
            case "\n":
                return 0
            case "(":
                depth += 1
            case ")":
                depth -= 1
                if not depth:
                    return index
    return None if len(text) < at + 2 + LONGEST else 0


def _target(text: str) -> Target | None:
    found = _TITLE.fullmatch(text)
    if found is None:
        return None
    named = found["target"].strip()
    path = file_of(named[1:-1] if named.startswith("<") and named.endswith(">") else named)
    return Target(text, path, found["title"] or "") if path else None
