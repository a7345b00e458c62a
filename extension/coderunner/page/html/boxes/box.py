"""Decides which outputs stand in the page itself, each in a box, and which only a frame draws. Pure."""

from collections.abc import Callable, Mapping

from coderunner.page.html.boxes import clean_html, markdown
from coderunner.page.html.boxes.clean_html import Cleaned

LARGEST_TREE = 500_000
"""The most characters of JSON that the page itself unfolds."""
LONGEST_FORMULA = 4000
"""The most characters of LaTeX that the page itself sets."""

BY_SCRIPT = Cleaned("")
"""The page's own script draws it, from its data."""


def decided(kind: str, data: object, size: int) -> Cleaned | None:
    """What stands in a box for an output of that kind; None where only a frame shows all of it.

    `size`: its characters, as JSON where it is no text.
    """
    decide = _KINDS.get(kind)
    return decide(data, size) if decide else None


def _latex(_data: object, size: int) -> Cleaned | None:
    return BY_SCRIPT if size <= LONGEST_FORMULA else None


def _json(_data: object, size: int) -> Cleaned | None:
    return BY_SCRIPT if size <= LARGEST_TREE else None


_KINDS: Mapping[str, Callable[[object, int], Cleaned | None]] = {
    "text/html": lambda data, _: clean_html.cleaned(str(data)),
    "text/markdown": lambda data, _: markdown.rendered(str(data)),
    "text/latex": _latex,
    "application/json": _json,
}
