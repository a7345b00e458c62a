"""Formulas in the texts of well-formed HTML, a table's for example, as notebooks set them. Pure."""

import re
from collections.abc import Iterator
from html import escape, unescape

from coderunner.page.html.boxes.formulas import Formula, Reader, element
from coderunner.page.html.boxes.tags import BEGINS, TAG, VOID

MOST = 300
"""The most formulas that the page itself sets for one output, each of which takes it milliseconds."""
LONGEST = 30_000
"""The most characters of them together."""

_SKIPPED = frozenset({"pre", "code"})
"""Of the elements whose text notebooks leave alone, those that a box may have."""
_CLASSES = re.compile(r"""(?<!\S)class\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))""", re.IGNORECASE)
_IGNORED = frozenset({"tex2jax_ignore", "mathjax_ignore"})
"""By these classes pandas and others say that there are no formulas in an element."""
_PROCESSED = frozenset({"tex2jax_process", "mathjax_process"})
_MAYBE = re.compile(r"\$|\\[(\[]|\\begin\{|&#|&dollar|&bsol", re.IGNORECASE)


def typeset(source: str) -> str | None:
    """The same with formulas as elements that the page draws; None if there are too many for the page."""
    if not _MAYBE.search(source):
        return source
    reader, parts, left, room = Reader(), [], MOST, LONGEST
    for written, reads in _pieces(source):
        found = list(reader.parts(unescape(written))) if reads and _MAYBE.search(written) else []
        formulas = [each for each in found if isinstance(each, Formula)]
        left -= len(formulas)
        room -= sum(len(each.content) for each in formulas)
        if left < 0 or room < 0:
            return None
        parts.append("".join(map(_html, found)) if formulas else written)
    return "".join(parts)


def _html(part: str | Formula) -> str:
    return element(part) if isinstance(part, Formula) else escape(part, quote=False)


def _pieces(source: str) -> Iterator[tuple[str, bool]]:
    """Tags and texts in order, each with whether it is a text that may have formulas."""
    around = [False]  # for each open element: whether its text is left alone
    at = 0
    while begins := BEGINS.search(source, at):
        yield source[at : begins.start()], not around[-1]
        found = TAG.match(source, begins.start())
        at = found.end() if found else len(source)
        yield source[begins.start() : at], False
        if found is None or found["closed"]:
            around[1:] = around[1:-1]
        elif (tag := (found["opened"] or "").lower()) and tag not in VOID:
            around.append(tag in _SKIPPED or _ignored(found["attributes"], ignored=around[-1]))
    yield source[at:], not around[-1]


def _ignored(attributes: str, *, ignored: bool) -> bool:
    found = _CLASSES.search(attributes) if "jax_" in attributes else None
    classes = set(unescape("".join(filter(None, found.groups()))).split()) if found else frozenset[str]()
    return (ignored or bool(classes & _IGNORED)) and not classes & _PROCESSED
