"""What a person has changed in some code, line by line. Pure; costs little, also for hostile texts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

MOST = 400
"""Lines on each side that are compared with one another, between the first and the last change: a comparison
may cost their product. Beyond that all of them count as changed."""


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line, without its end."""

    kind: Literal["same", "old", "new"]
    text: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Lines that are the same and left out."""

    lines: int


def line_diff(before: str, after: str) -> tuple[DiffLine, ...]:
    """All lines of both texts, in the order of a diff. Blank lines at their ends do not count."""
    old, new = _lines(before), _lines(after)
    head = _same(old, new)
    tail = _same(old[head:][::-1], new[head:][::-1])
    inner_old, inner_new = old[head : len(old) - tail], new[head : len(new) - tail]
    return (
        *(DiffLine("same", line) for line in old[:head]),
        *_compared(inner_old, inner_new),
        *(DiffLine("same", line) for line in old[len(old) - tail :]),
    )


def differ(before: str, after: str) -> bool:
    """Whether two texts have different lines."""
    return _lines(before) != _lines(after)


def folded(lines: Sequence[DiffLine], around: int) -> Iterator[DiffLine | Gap]:
    """The changes with up to `around` lines before and after each; one line is never left out alone."""
    changed = [at for at, line in enumerate(lines) if line.kind != "same"]
    shown = {near for at in changed for near in range(at - around, at + around + 1)}
    for left_out, group in groupby(range(len(lines)), key=lambda at: at not in shown):
        those = list(group)
        if left_out and len(those) > 1:
            yield Gap(len(those))
        else:
            yield from (lines[at] for at in those)


def _lines(text: str) -> list[str]:
    # As an editor counts them, not as `splitlines` does: a form feed ends no line.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines at the beginning are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


def _compared(old: Sequence[str], new: Sequence[str]) -> Iterator[DiffLine]:
    if max(len(old), len(new)) > MOST:
        yield from (DiffLine("old", line) for line in old)
        yield from (DiffLine("new", line) for line in new)
        return
    for kind, start, end, begin, stop in SequenceMatcher(None, old, new).get_opcodes():
        if kind == "equal":
            yield from (DiffLine("same", line) for line in old[start:end])
            continue
        yield from (DiffLine("old", line) for line in old[start:end])
        yield from (DiffLine("new", line) for line in new[begin:stop])
