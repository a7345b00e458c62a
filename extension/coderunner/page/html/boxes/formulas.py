r"""Formulas in texts: between `$…$`, `$$…$$`, `\(…\)` or `\[…\]`, and bare environments. Pure.

Prices, shell variables and escaped brackets look similar but are no formulas. `assets/src/text.js` has the
same rules for the output of programs; one corpus tests both.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

LONGEST = 2000
"""The most characters of a formula: people write no longer ones, and the search has to end."""

# A formula contains no backtick, since code comes first. No digit follows the closing mark, and letters only
# as an ending: `$n$th`, but neither `$5 and $10` nor `$HOME/$USER`.
_DOLLARS = re.compile(
    r"\$(?![\s$])((?:\\.|[^$\\\n`]){1,2000}?)(?<!\s)\$(?![\d$])(?!(?!(?:th|st|nd|rd|s)\b)[A-Za-z])"
)
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_MATHS = re.compile(r"[\\^_=+*/<>|{}\d-]")

_PAIRS = {"$$": "$$", "\\[": "\\]", "\\(": "\\)"}

_ENVIRONMENT = "\\b"
"""How one begins: `\\begin{align}`."""
_BEGIN = re.compile(
    r"\\begin\{((?:equation|align|alignat|gather|multline|flalign|eqnarray|displaymath|math|[pbvVB]?matrix"
    r"|smallmatrix|r?cases|array|split|aligned|alignedat|gathered|CD)\*?)\}"
)
"""Environments that are formulas by themselves, as notebooks take them."""


def formulas(md: MarkdownIt) -> None:
    """Add formulas to `md`."""
    # Before escapes, since `\(` is an escape in Markdown.
    md.inline.ruler.before("escape", "formula", _inline)
    md.block.ruler.before("paragraph", "formula", _block, {"alt": ["paragraph", "blockquote", "list"]})
    md.add_render_rule("formula", lambda _, tokens, at, *_more: html(tokens[at]))


def html(token: Token) -> str:
    """The element of a formula in Markdown."""
    return element(Formula(token.markup, token.content, token.info == "display"))


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula of a text."""

    written: str
    """With its marks."""
    content: str
    """What stands between them."""
    display: bool
    """It stands on a line of its own."""


def element(formula: Formula) -> str:
    """A custom element that the page renders; until then it shows the source."""
    display = " data-display" if formula.display else ""
    tex, written = escape(formula.content.strip()), escape(formula.written, quote=False)
    return f'<code-runner-formula data-tex="{tex}"{display}>{written}</code-runner-formula>'


MARKS = 20_000
"""The most marks of one output that are looked at."""
TRIES = 1000
"""How often what begins with a backslash may turn out to be none: each time `LONGEST` characters are read."""
_MARK = re.compile(r"\\begin\{|\\[\s\S]|\$")


@dataclass(slots=True)
class Reader:
    """Finds the formulas in the texts of one output that is no Markdown, in bounded time."""

    marks: int = MARKS
    tries: int = TRIES

    def parts(self, text: str) -> Iterator[str | Formula]:
        """The formulas of a text and the words between them, in order. A line break is a space."""
        source, begun, at = text.replace("\n", " "), 0, 0
        while self.marks and (mark := _MARK.search(source, at)):
            self.marks -= 1
            at = mark.end()
            found = self._found(source, mark)
            if found is not None:
                yield text[begun : mark.start()]
                yield Formula(*found)
                at = begun = mark.start() + len(found[0])
        yield text[begun:]

    def _found(self, source: str, mark: re.Match[str]) -> tuple[str, str, bool] | None:
        if mark[0] == "$":
            return _found(source, mark.start())
        if not self.tries or mark[0] not in ("\\(", "\\[", "\\begin{"):
            return None
        found = _found(source, mark.start())
        self.tries -= found is None
        return found


def _inline(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    found = _found(state.src, state.pos)
    if found is None:
        return False
    written, content, display = found
    if not silent:
        _push(state.push("formula", "", 0), written, content, display=display)
    state.pos += len(written)
    return True


def _found(source: str, at: int) -> tuple[str, str, bool] | None:
    """The formula that begins there: its source, its content, and whether it is a display formula."""
    opening = source[at : at + 2]
    if opening in _PAIRS:
        closing = _PAIRS[opening]
        end = source.find(closing, at + 2, at + 2 + LONGEST)
        content = source[at + 2 : end]
        if end < 0 or not _formula(content, opening):
            return None
        return source[at : end + 2], content, opening != "\\("
    if opening == _ENVIRONMENT:
        written = _environment(source, at)
        return (written, written, True) if written and "`" not in written else None
    match = _DOLLARS.match(source, at) if opening[:1] == "$" else None
    return None if match is None or _price(match[1]) else (match[0], match[1], False)


def _environment(source: str, at: int) -> str:
    """The environment that begins there, to its own end; empty if none does."""
    begun = _BEGIN.match(source, at)
    if begun is None:
        return ""
    marks = re.compile(rf"\\(begin|end)\{{{re.escape(begun[1])}\}}")
    deep = 0
    for mark in marks.finditer(source, at, at + LONGEST):
        deep += 1 if mark[1] == "begin" else -1
        if deep == 0:
            return source[at : mark.end()]
    return ""


def _formula(content: str, opening: str) -> bool:
    """Whether it is a formula: escaped brackets around words are just brackets."""
    words = content.strip()
    return (
        bool(words) and "`" not in words and (opening == "$$" or len(words) < 4 or bool(_MATHS.search(words)))
    )


def _price(content: str) -> bool:
    """Whether it is a price: a number followed by words, as in `$5 (or 6$)`."""
    return content[0].isdigit() and bool(_WORD.search(content)) and not re.search(r"[\\^_=]", content)


def _block(state: StateBlock, first: int, last: int, silent: bool) -> bool:  # noqa: FBT001 - as above
    opening = _begins(state, first)
    if opening not in ("$$", "\\[", _ENVIRONMENT) or state.is_code_block(first):
        return False
    closing, line, written = _PAIRS.get(opening, ""), first, ""
    while line < min(last, first + 60) and state.sCount[line] >= state.blkIndent:
        written += state.getLines(line, line + 1, state.blkIndent, keepLastLF=True)
        start = written.index(opening)
        ended = written.find(closing, start + 2) >= 0 if closing else _environment(written, start)
        if ended:
            break
        line += 1
    else:
        return False
    return _closed(state, first, line, written.strip(), opening, silent=silent)


def _begins(state: StateBlock, line: int) -> str:
    start = state.bMarks[line] + state.tShift[line]
    return state.src[start : min(start + 2, state.eMarks[line])]


def _closed(state: StateBlock, first: int, line: int, written: str, opening: str, *, silent: bool) -> bool:
    if opening == _ENVIRONMENT:
        content = _environment(written, 0)
        after, fits = written[len(content) :].strip(), "`" not in content
    else:
        end = written.find(_PAIRS[opening], 2)
        content, after = written[2:end], written[end + 2 :].strip()
        fits = _formula(content, opening)
    # Text after it on its line makes it part of a sentence.
    if after or len(content) > LONGEST or not fits:
        return False
    if not silent:
        token = state.push("formula", "", 0)
        token.map, token.block = [first, line + 1], True
        _push(token, written, content, display=True)
    state.line = line + 1
    return True


def _push(token: Token, written: str, content: str, *, display: bool) -> None:
    token.content, token.markup, token.info = content, written, "display" if display else ""
