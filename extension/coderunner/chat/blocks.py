"""What markdown-it says about a line, asked so that a whole reply costs time in proportion to its length.

The authority parses only what came since the last answer, behind a *prefix*: a short text of ours that
brings the parser into the state it had there (the list items that are open, and a paragraph or an HTML block
if one is).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.parser_block import RuleFuncBlockType
from markdown_it.rules_block import StateBlock, code, fence, html_block, paragraph
from markdown_it.token import Token

# Two levels a list. The parser recurses per level, so this also keeps it clear of Python's recursion limit
# when we are called from deep inside a host. What lies deeper is never a fence.
_MAX_NESTING = 100

# A question whose answer is remembered: replies ask the same short ones over and over.
_SHORT = 400

# Text that cannot be settled (a block quote that goes on lazily, a link definition that may go on) is parsed
# again with the next candidate. Real ones are short; past this many characters it counts as ended, so that a
# hostile text cannot make each line cost as much as all lines before.
_UNSETTLED = 4_000

_MARKER = r"[ \t]*(?:[-+*]|[0-9]{1,9}[.)])(?:[ \t]+|(?=\n)|\Z)"

# CommonMark 4.6: the seven kinds of HTML blocks, each with an opening of ours that ends in the same way.
# Kinds six and seven both end at a blank line, so one opening serves for whatever matches none of the
# others.
_HTML = (
    (re.compile(r"<(?:script|pre|style|textarea)(?=\s|>|$)", re.IGNORECASE), "<pre>"),
    (re.compile(r"<!--"), "<!--"),
    (re.compile(r"<\?"), "<?"),
    (re.compile(r"<![A-Za-z]"), "<!A"),
    (re.compile(r"<!\[CDATA\["), "<![CDATA["),
    (re.compile(r"<"), "<div>"),
)


# The leaf blocks that can hold a line which looks like a fence, with what each may interrupt, as in
# markdown-it.
_LEAVES: dict[str, tuple[RuleFuncBlockType, list[str]]] = {
    "code": (code, []),
    "fence": (fence, ["paragraph", "reference", "blockquote", "list"]),
    "html_block": (html_block, ["paragraph", "reference", "blockquote"]),
    "paragraph": (paragraph, []),
}


@dataclass(frozen=True, slots=True)
class Opening:
    """Where a fence stands. Columns count a tab up to the next multiple of four."""

    indent: int
    """The content column of the list item that holds the fence, 0 outside of lists."""
    column: int
    """The column of the fence itself: so much white space its lines may lose."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the last line of a text opens a fence, and a short text that ends in the same state."""

    opening: Opening | None
    prefix: str


class Blocks:
    """A reply, settled up to the last question."""

    __slots__ = ("_pending", "_prefix")

    def __init__(self) -> None:
        self._prefix = ""
        self._pending: list[str] = []

    def append(self, text: str) -> None:
        """Add text that opens no fence outside block quotes. Costs nothing until the next question."""
        self._pending.append(text)

    def ask(self, line: str) -> Opening | None:
        """Where *line* opens a fence outside block quotes; None if it opens none.

        It is a whole line and becomes part of the text, which goes on after the fence if there is one.
        """
        source = f"{self._prefix}{''.join(self._pending)}{line}"
        answer = _remembered(source) if len(source) < _SHORT else _read(source)
        self._prefix = answer.prefix
        self._pending = []
        return answer.opening


def _read(source: str) -> Answer:
    if "\r" in source:
        source = re.sub(r"\r\n?", "\n", source)
    lines = source.removesuffix("\n").split("\n")
    tokens = _MARKDOWN.parse(source)
    position = _leaf(tokens, len(lines) - 1)
    if position is None:
        return Answer(None, _unsettled(source, "", tokens))
    leaf = tokens[position]
    around = _ancestors(tokens, position)
    items = _items(lines, around)
    if any(token.type == "blockquote_open" for token in around):
        return Answer(None, _unsettled(source, items, tokens))
    if leaf.type == "fence" and leaf.map and leaf.map[0] == len(lines) - 1:
        return Answer(Opening(**leaf.meta), items)
    if leaf.type == "paragraph_open" and tokens[position + 1].content.startswith("["):
        return Answer(None, _unsettled(source, items, tokens))
    return Answer(None, items + _reopened(leaf, lines[-1]))


_remembered = lru_cache(maxsize=512)(_read)


def _leaf(tokens: Sequence[Token], line: int) -> int | None:
    """The position of the leaf block that holds *line*, the last one. A link definition leaves no token."""
    for position in range(len(tokens) - 1, -1, -1):
        token = tokens[position]
        if "indent" in token.meta and token.map:
            return position if token.map[0] <= line < token.map[1] else None
    return None


def _ancestors(tokens: Sequence[Token], position: int) -> list[Token]:
    """The blocks around the token at *position*, outermost first."""
    around: list[Token] = []
    level = tokens[position].level
    while level:
        position -= 1
        token = tokens[position]
        if token.nesting == 1 and token.level == level - 1:
            around.append(token)
            level -= 1
    return around[::-1]


def _items(lines: Sequence[str], around: Sequence[Token]) -> str:
    """A text that opens the same list items, up to the first block quote, with a blank line after each."""
    counts: dict[int, int] = {}
    for token in around:
        if token.type == "blockquote_open":
            break
        if token.type == "list_item_open" and token.map:
            counts[token.map[0]] = counts.get(token.map[0], 0) + 1
    return "".join(f"{_opened(lines[line], count)}\n\n" for line, count in counts.items())


def _opened(line: str, items: int) -> str:
    """The line that opened so many list items, with other content.

    White space stays as it is, because tabs and columns count. The caller adds a blank line, because an
    ordered list that does not start at one cannot interrupt a paragraph.
    """
    found = re.match(rf"(?:{_MARKER}){{{items}}}", line)
    # Other white space before a marker would be no list item, so it always matches.
    markers = found[0] if found else line
    if len(markers) == len(line):
        # CommonMark 5.2: an item that begins with a blank line has its content one column after the marker.
        return markers.rstrip(" \t") + " x"
    return f"{markers}x"


def _reopened(leaf: Token, line: str) -> str:
    """A text that opens the leaf again and repeats the line in it, if what follows can depend on the leaf."""
    indent = " " * leaf.meta["indent"]
    if leaf.type == "paragraph_open":
        return f"{indent}x\n{line}\n"
    if leaf.type == "html_block":
        text = leaf.content.lstrip(" \t")
        opening = next(ours for pattern, ours in _HTML if pattern.match(text))
        return f"{indent}{opening}\n{line}\n"
    return ""


def _unsettled(source: str, items: str, tokens: Sequence[Token]) -> str:
    if any(token.level >= _MAX_NESTING - 1 for token in tokens):
        # markdown-it reads nothing after a list that is nested too deeply. We go on afresh.
        return ""
    return source if len(source) < _UNSETTLED else items


def _recorded(rule: RuleFuncBlockType) -> RuleFuncBlockType:
    """The rule, leaving in its first token's `meta` the columns that it saw."""

    # The signature is markdown-it's.
    def recording(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001
        first, indent, column = len(state.tokens), state.blkIndent, state.sCount[start]
        matched = rule(state, start, end, silent)
        if matched and not silent:
            state.tokens[first].meta = {"indent": indent, "column": column}
        return matched

    return recording


def _markdown() -> MarkdownIt:
    """CommonMark's block structure, without inline content."""
    markdown = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING})
    markdown.core.ruler.enableOnly(["normalize", "block"])
    for name, (rule, interrupts) in _LEAVES.items():
        markdown.block.ruler.at(name, _recorded(rule), {"alt": interrupts})
    markdown.parse("x")  # compiles the rules: two threads that parse first at once would see half of them
    return markdown


_MARKDOWN = _markdown()
