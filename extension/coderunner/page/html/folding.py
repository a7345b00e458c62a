"""Long texts as HTML of which the middle is hidden until a person wants it. Pure.

All of it is in the page, so that it can be copied and searched; the page's script shows and hides the middle.
"""

import re
from dataclasses import dataclass

_PIECES = re.compile(r"<span [^>]*>|</span>|\n")


@dataclass(frozen=True, slots=True)
class Fold:
    """How a long text is folded; each in lines."""

    longest: int
    """A longer text is folded."""
    head: int
    """What is shown of its beginning."""
    tail: int
    """What is shown of its end."""


CODE = Fold(24, 8, 4)
OUTPUT = Fold(28, 14, 10)
"""As much as the box of an output shows without a scroll bar: `max-height` of `.cr-text` in `block.css`."""


def folded(html: str, fold: Fold, act: str, left_out: int = 0) -> str:
    """`html` with its middle hidden if it is long. `act` is what the button there does.

    `left_out`: lines that the text had where its middle says so, in one line.

    Its only elements are spans; none that is nested goes over the end of a line. The buttons have no text of
    their own, so that what is copied is the text alone.
    """
    lines = html.count("\n") + (not html.endswith("\n"))
    if lines <= fold.longest:
        return html
    hidden = lines - fold.head - fold.tail
    head, middle, tail = _split(html, fold.head, fold.head + hidden)
    label = f"{hidden + left_out:,} more lines"
    button = (
        f'<button type="button" class="cr-unfold" data-cr="{act}" aria-expanded="false" '
        f'aria-label="Show {label}" data-cr-lines="{label}"></button>'
    )
    # The button stands behind the middle: what stands before it stays as it is while a text grows, and is not
    # sent again.
    return f'{head}{_fewer(act)}<span class="cr-mid">{middle}</span>{button}{tail}'


def growing(html: str, fold: Fold, act: str) -> str:
    """`html` that more is added to: all of it is seen, and its middle begins where it will be folded.

    `act` is what the buttons there will do.
    """
    if html.count("\n") <= fold.longest:
        return html
    head, middle, tail = _split(html, fold.head, fold.longest)
    return f'{head}{_fewer(act)}<span class="cr-mid">{middle}{tail}</span>'


def _fewer(act: str) -> str:
    """The button at the beginning of a middle, which is there while that is seen."""
    return (
        f'<button type="button" class="cr-unfold cr-fewer" data-cr="{act}" '
        'aria-label="Show fewer lines"></button>'
    )


def _split(html: str, first: int, second: int) -> tuple[str, str, str]:
    """Three parts, cut after that many lines each; a span that is cut goes on in the next part."""
    parts: list[str] = []
    start, lines, span = 0, 0, ""
    opening = ""
    for found in _PIECES.finditer(html):
        piece = found[0]
        if piece != "\n":
            span = "" if piece == "</span>" else piece
            continue
        lines += 1
        if lines in (first, second):
            closing = "</span>" if span else ""
            parts.append(f"{opening}{html[start : found.end()]}{closing}")
            start, opening = found.end(), span
    return parts[0], parts[1], f"{opening}{html[start:]}"
