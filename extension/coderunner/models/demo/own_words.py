"""A message without what CodeRunner has put in front of it for the model: pure."""

import re

_BEGINS = re.compile(
    r"The user (?:reran|changed) the block |Result of the block |Later output of |Variable \S+ \("
)
"""How a note to the model begins; a blank line ends the notes."""
_FENCE = re.compile(r"`{3,}|~{3,}")


def own_words(text: str) -> str:
    """What the person said, and the lines about files that came with it; the whole where that is all."""
    lines = text.split("\n")
    at = 0
    while at < len(lines) and _BEGINS.match(lines[at]):
        at = _blank(lines, at)
        while at < len(lines) and not lines[at].strip():
            at += 1
    return "\n".join(lines[at:]) or text


def _blank(lines: list[str], at: int) -> int:
    """The first blank line from there on that stands in no fence."""
    fence = ""
    while at < len(lines) and (fence or lines[at].strip()):
        if fence:
            fence = "" if lines[at].rstrip() == fence else fence
        elif found := _FENCE.match(lines[at]):
            fence = found[0]
        at += 1
    return at
