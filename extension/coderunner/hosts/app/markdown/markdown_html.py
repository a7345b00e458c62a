"""Markdown as safe HTML. Pure.

Nothing is lost and nothing is active: all tags are text; links lead to the web, or are text; external images
become links to them.
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
"""Characters after which the next block begins a new piece: only the last piece is sent while it grows."""

SHORT = 2000
"""The most characters of a last block that is rendered again with each delta."""
SHARE = 16
"""A longer one is rendered again when it has grown by this fraction (one part in so many), which keeps the
cost linear."""

LONGEST = 100_000
"""The most characters of one block, images aside; a longer one shows as plain text."""
_PICTURE = re.compile(r"\(data:image/[^\s)]*\)")


def typed(text: str) -> str:
    """What a person typed, as typed: only code is formatted, and URLs are links."""
    return _piece(_rendered(_TYPED, parsed(_TYPED, text), text), " cr-typed")


@lru_cache(maxsize=500)
def whole(text: str) -> tuple[str, ...]:
    """A finished text of a model, in pieces of whole blocks."""
    pieces, inside, since = [], "", 0
    for start, block in _blocks(_WHOLE, text):
        if inside and start - since >= PIECE:
            pieces.append(_piece(inside))
            inside, since = "", start
        inside += block
    return (*pieces, _piece(inside))


@dataclass(frozen=True, slots=True)
class Growing:
    """The rendered text of a model so far."""

    text: str = ""
    """The text that is rendered."""
    pieces: tuple[str, ...] = ()
    """The finished pieces."""
    inside: str = ""
    """The finished blocks of the unfinished piece."""
    since: int = 0
    """The offset of that piece in the text."""
    at: int = 0
    """The offset of the last block in the text."""
    last: str = ""
    """The last block so far."""

    @property
    def all(self) -> tuple[str, ...]:
        """All pieces, in order."""
        return (*self.pieces, _piece(self.inside + self.last))


def grown(before: Growing, text: str) -> Growing:
    """Render the text added since; costs as much as the last block.

    A link whose URL is defined further down is a link only in `whole`.
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
"""A last line that is still ambiguous: `-` would make the line above a heading."""


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
    # markdown-it drops what is nested too deep.
    if len(_PICTURE.sub("", written)) > LONGEST or any(token.level >= DEEPEST - 2 for token in tokens):
        return _plain(written)
    html: str = md.renderer.render(tokens, md.options, {})
    return html
