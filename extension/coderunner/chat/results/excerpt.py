"""The head and the tail of a text that is too long, and how much lies between them."""

from dataclasses import dataclass

from coderunner.outputs import NOTHING_OMITTED, Omission
from coderunner.text.cursor_up import settled
from coderunner.text.terminal_text import plain

# A long text is cut before it is cleaned, so that megabytes cost no more than kilobytes. Cleaning can shorten
# it (colours), so this many times more is kept than will be shown.
_MARGIN = 8


@dataclass(frozen=True, slots=True)
class Size:
    """The most that is kept of a text."""

    lines: int
    characters: int


def excerpt(text: str, size: Size, missing: Omission = NOTHING_OMITTED) -> str:
    """The text as `terminal_text.plain` makes it, or head and tail with a line that counts what was left out.

    Characters are counted as they were written, before ANSI sequences are removed. `missing` was left out of
    the text before.
    """
    text = _overwritten(settled(text)) if len(text) > _MARGIN * size.characters else text
    wide = Size(size.lines * _MARGIN, size.characters * _MARGIN)
    if _fits(text, wide):
        clean = plain(text)
        if _fits(clean, size):
            return _joined(clean, "", missing) if missing.characters else clean
        head, tail = _ends(clean, size)
        return _joined(head, tail, missing, clean[len(head) : len(clean) - len(tail)])
    raw_head, raw_tail = _ends(text, wide)
    clean_head, clean_tail = plain(raw_head), plain(raw_tail)
    head, tail = _head(clean_head, size), _tail(clean_tail, size)
    between = text[len(raw_head) : len(text) - len(raw_tail)]
    rest = (clean_head[len(head) :], between, clean_tail[: len(clean_tail) - len(tail)])
    return _joined(head, tail, missing, *rest)


def _overwritten(text: str) -> str:
    """The text without what later carriage returns write over: a progress bar counts as its last state."""
    if "\r" not in text:
        return text
    lines = (line.rstrip("\r") for line in text.split("\n"))
    return "\n".join(line.rsplit("\r", 1)[-1] for line in lines)


def _fits(text: str, size: Size) -> bool:
    return len(text) <= size.characters and text.count("\n") <= size.lines


def _ends(text: str, size: Size) -> tuple[str, str]:
    head = _head(text, size)
    return head, _tail(text[len(head) :], size)


def _head(text: str, size: Size) -> str:
    """Two thirds of what is kept: whole lines, unless the last would be cut more than in half."""
    most, end = size.characters * 2 // 3, 0
    for _ in range(size.lines * 2 // 3):
        after = text.find("\n", end) + 1
        if not after or after > most:
            # The next line does not fit; half of the space is worth a part of it.
            return text[: end if end > most // 2 else most]
        end = after
    return text[:end]


def _tail(text: str, size: Size) -> str:
    least, start = max(len(text) - size.characters // 3, 0), len(text)
    for _ in range(size.lines // 3):
        before = text.rfind("\n", 0, max(start - 1, 0)) + 1
        if before < least or not before:
            return text[start if len(text) - start > (len(text) - least) // 2 else least :]
        start = before
    return text[start:]


def _joined(head: str, tail: str, missing: Omission, *left_out: str) -> str:
    omitted = Omission(
        lines=missing.lines + sum(part.count("\n") for part in left_out),
        characters=missing.characters + sum(map(len, left_out)),
    )
    return f"{head.removesuffix(chr(10))}\n[… {omitted} left out …]\n{tail}"
