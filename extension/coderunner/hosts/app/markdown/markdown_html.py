"""Markdown as HTML of ours. Pure.

Nothing that was written vanishes and none of it acts: tags are text, whatever they are called; links lead to
the web, or are text; pictures from elsewhere are links to them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token

from coderunner.hosts.app.markdown.parser import DEEPEST, markdown, parsed, parser

_TYPED = parser("zero", ("fence", "backticks"))
_WHOLE = markdown(references=True)
_GROWING = markdown(references=False)

PIECE = 1500
"""Characters after which the next block begins another piece: only the last one is sent while it grows."""

SHORT = 2000
"""Characters of a last block that is drawn anew with each delta."""
SHARE = 16
"""A longer one is when it has grown by one part of so many: linear, however long it becomes."""

LONGEST = 100_000
"""Characters of one block, without pictures; a longer one shows as it was written."""
_PICTURE = re.compile(r"\(data:image/[^\s)]*\)")


def typed(text: str) -> str:
    """What a person typed, as it was typed: only code looks like code, and addresses are links."""
    return _piece(_rendered(_TYPED, parsed(_TYPED, text), text), " cr-typed")


@lru_cache(maxsize=500)
def whole(text: str) -> tuple[str, ...]:
    """What a model wrote, in pieces of whole blocks."""
    pieces, inside, since = [], "", 0
    for start, block in _blocks(_WHOLE, text):
        if inside and start - since >= PIECE:
            pieces.append(_piece(inside))
            inside, since = "", start
        inside += block
    return (*pieces, _piece(inside))


@dataclass(frozen=True, slots=True)
class Growing:
    """What a model has written so far, drawn."""

    text: str = ""
    """Up to where it is drawn."""
    pieces: tuple[str, ...] = ()
    """Those that are finished."""
    inside: str = ""
    """The finished blocks of the piece that is not."""
    since: int = 0
    """Where in the text that piece begins."""
    at: int = 0
    """Where in the text the last block begins."""
    last: str = ""
    """The last block, as it is by now."""

    @property
    def all(self) -> tuple[str, ...]:
        """All pieces, in order."""
        return (*self.pieces, _piece(self.inside + self.last))


def grown(before: Growing, text: str) -> Growing:
    """Draw what was written since; that costs what the last block does.

    A link whose address is told further down is one in `whole` only.
    """
    if text == before.text:
        return before
    if not text.startswith(before.text[: before.at]):
        before = Growing()
    tail = text[before.at :]
    if len(tail) > SHORT and 0 <= len(text) - len(before.text) < len(tail) // SHARE:
        return before
    *done, (start, last) = _blocks(_GROWING, UNSURE.sub("", tail)) or [(0, "")]
    pieces, inside, since = before.pieces, before.inside, before.since
    for offset, block in [*done, (start, "")]:
        if inside and before.at + offset - since >= PIECE:
            pieces, inside, since = (*pieces, _piece(inside)), "", before.at + offset
        inside += block
    return Growing(text, pieces, inside, since, before.at + start, last)


UNSURE = re.compile(r"(?<=\n)[ \t]*(?:[-=*+]{1,2}|\d{1,9}[.)]?|#{1,6}|`{1,2}|~{1,2})[ \t]*\Z")
"""A last line of which nobody knows yet what it becomes: `-` would make a heading of the line above."""


# --- from text to HTML


def _piece(inside: str, more: str = "") -> str:
    return f'<div class="cr-prose{more}">{inside}</div>'


def _plain(text: str) -> str:
    return f'<pre class="cr-plain">{escape(text, quote=False)}</pre>'


def _blocks(md: MarkdownIt, text: str) -> list[tuple[int, str]]:
    """The blocks that stand in no other one: where each begins, and its HTML."""
    tokens, found, begun = parsed(md, text), [], 0
    lines = [0, *(match.end() for match in re.finditer("\n", text))]
    for at, token in enumerate(tokens, 1):
        if token.level == 0 and token.nesting <= 0:
            block, begun = tokens[begun:at], at
            first, after = block[0].map or [0, 0]
            start, end = lines[first], lines[after] if after < len(lines) else len(text)
            found.append((start, _rendered(md, block, text[start:end])))
    return found


def _rendered(md: MarkdownIt, tokens: Sequence[Token], written: str) -> str:
    # markdown-it leaves out what is nested too deep.
    if len(_PICTURE.sub("", written)) > LONGEST or any(token.level >= DEEPEST - 2 for token in tokens):
        return _plain(written)
    html: str = md.renderer.render(tokens, md.options, {})
    return html
