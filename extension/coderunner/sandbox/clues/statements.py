"""The statements of code in any language, as far as its brackets and line ends tell. Pure, and linear."""

from collections.abc import Iterator

MOST_LINES = 40
"""Lines of one statement: a bracket in a text or a comment may never be closed."""

_OPEN, _CLOSE = "([{", ")]}"


def statements(source: str) -> Iterator[str]:
    """Each line of the code, together with those that it goes on in while a bracket is open."""
    lines: list[str] = []
    depth = 0
    for line in source.split("\n"):
        lines.append(line)
        depth = max(0, depth + sum(map(line.count, _OPEN)) - sum(map(line.count, _CLOSE)))
        if depth == 0 or len(lines) == MOST_LINES:
            yield _joined(lines)
            lines, depth = [], 0
    if lines:
        yield _joined(lines)


def _joined(lines: list[str]) -> str:
    return " ".join((lines[0], *map(str.strip, lines[1:])))
