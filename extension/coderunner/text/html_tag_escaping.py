"""Markdown for readers who take HTML in it for HTML, as notebooks do: there, unknown tags vanish."""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt

_BLOCKS = MarkdownIt("commonmark", {"html": False}).enable("table")

_PIECES = re.compile(
    r"(?P<escape>\\.)"
    r"|(?P<ticks>`+)"
    r"|(?P<link><(?:[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*|[^\s<>@]+@[^\s<>]+)>|\]\(<)"
    r"|(?P<tag><(?=\?|!\[CDATA|/?(?P<name>[A-Za-z][\w-]*)))",
    re.DOTALL,
)

_NAMES = """
a abbr address article aside audio b bdi bdo big blockquote br caption center cite code col colgroup dd
del details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li
main mark math nav ol p picture pre q s samp section small source span strike strong style sub summary
sup svg table tbody td tfoot th thead time tr tt u ul var video wbr
"""
_SHOWN = frozenset(_NAMES.split())
"""Elements of which a notebook shows what is in them."""


def literal(text: str) -> str:
    """`text` with a backslash before each tag that would vanish; code and addresses stay as they are."""
    lines = text.splitlines(keepends=True)
    for first, last in _spans(text):
        lines[first] = _escaped("".join(lines[first:last]))
        lines[first + 1 : last] = [""] * (last - first - 1)
    return "".join(lines)


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """The lines of each paragraph, heading and row of a table."""
    done = 0
    for token in _BLOCKS.parse(text):
        if token.type == "inline" and token.map and token.map[0] >= done:
            yield token.map[0], token.map[1]
            done = token.map[1]


def _escaped(text: str) -> str:
    """The same for one paragraph."""
    out, at = [], 0
    while found := _PIECES.search(text, at):
        out.append(text[at : found.start()])
        end = found.end()
        if found["ticks"]:
            # Code goes on to as many backticks as it began with; without those they are text.
            closing = re.compile(rf"(?<!`){found['ticks']}(?!`)").search(text, end)
            end = closing.end() if closing else end
        vanishes = found["tag"] and (found["name"] or "").casefold() not in _SHOWN
        out.append("\\<" if vanishes else text[found.start() : end])
        at = end
    return "".join((*out, text[at:]))
