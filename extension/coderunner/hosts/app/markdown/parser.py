"""The Markdown that models write: CommonMark, tables, task lists, footnotes and formulas; no HTML. Pure.

Nothing is lost: everything else is text.
"""

import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.common.utils import normalizeReference
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block import reference as commonmark_reference
from markdown_it.rules_block import table as commonmark_table
from markdown_it.rules_block.table import escapedSplit
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from coderunner.files.file_links import file_of
from coderunner.page.html import syntax_highlighting
from coderunner.page.html.boxes.formulas import formulas

DEEPEST = 60
"""The most levels of nested lists and quotes; markdown-it drops what is nested deeper."""


def parsed(md: MarkdownIt, text: str) -> list[Token]:
    """The tokens of a text."""
    return md.parse(text, {NOTES: frozenset(_NOTE.findall(text))})


# --- how each kind is rendered


def _link(self: object, tokens: Sequence[Token], at: int, options: Any, env: object) -> str:  # noqa: ANN401 - as markdown-it calls it
    href = escape(str(tokens[at].attrs.get("href", "")))
    if href.startswith("data:"):
        return "<a>"
    title = f' title="{escape(str(tokens[at].attrs["title"]))}"' if tokens[at].attrs.get("title") else ""
    if file := file_of(str(tokens[at].attrs.get("href", ""))):
        return f"<a {_to_file(file)}{title}>"
    return f'<a href="{href}"{title} target="_blank" rel="noopener noreferrer">'


def _to_file(path: str) -> str:
    """The attributes of a link to a file of the conversation, whose id the page adds."""
    where = escape(f"coderunner/file?path={quote(path)}")
    return f'data-cr-file href="{where}" target="_blank" rel="noopener noreferrer"'


def _image(self: object, tokens: Sequence[Token], at: int, options: Any, env: object) -> str:  # noqa: ANN401
    """An image with a data URL; of any other, its description as a link to it."""
    source, alt = str(tokens[at].attrs.get("src", "")), tokens[at].content
    if source.startswith("data:"):
        return f'<img src="{escape(source)}" alt="{escape(alt)}">'
    if file := file_of(source):
        return f"<a {_to_file(file)}>{escape(alt or file, quote=False)}</a> (image)"
    return (
        f'<a href="{escape(source)}" target="_blank" rel="noopener noreferrer">'
        f"{escape(alt or source, quote=False)}</a> (image, not loaded)"
    )


def _fence(self: object, tokens: Sequence[Token], at: int, options: Any, env: object) -> str:  # noqa: ANN401
    token = tokens[at]
    info = token.info.strip()
    code = syntax_highlighting.html(token.content.removesuffix("\n"), info.partition(" ")[0])
    return (
        f'<div class="cr-fence"><div><span>{escape(info, quote=False)}</span>'
        '<button type="button" data-cr="copy-fence">Copy</button></div>'
        f'<pre tabindex="0"><code>{code}</code></pre></div>'
    )


def _task(self: object, tokens: Sequence[Token], at: int, options: Any, env: object) -> str:  # noqa: ANN401
    done = " checked" if tokens[at].info == "x" else ""
    return f'<input type="checkbox" aria-label="Task" disabled{done}> '


def _note(self: object, tokens: Sequence[Token], at: int, options: Any, env: object) -> str:  # noqa: ANN401
    return f"<sup>{escape(tokens[at].content, quote=False)}</sup>"


def _list(self: object, tokens: Sequence[Token], at: int, options: Any, env: object) -> str:  # noqa: ANN401
    """A numbered list, with the number of digits, which sets the width of its margin."""
    start = f' start="{tokens[at].attrs["start"]}"' if "start" in tokens[at].attrs else ""
    return f'<ol{start} style="--cr-digits:{tokens[at].meta.get("digits", 1)}">\n'


_RULES = {
    "link_open": _link,
    "image": _image,
    "fence": _fence,
    "code_block": _fence,
    "task": _task,
    "note": _note,
    "ordered_list_open": _list,
    "table_open": lambda *_: '<div class="cr-table" tabindex="0"><table>\n',
    "table_close": lambda *_: "</table></div>\n",
}


# --- extensions of CommonMark

NOTES = "notes"
"""In the environment of a parse: the names of the footnotes that the text defines."""

_NOTE = re.compile(r"^ {0,3}\[\^([^\]\s]{1,40})\]:", re.MULTILINE)
_NOTED = re.compile(r"\[\^([^\]\s]{1,40})\](:?)")


def _footnote(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """`[^1]` becomes a raised 1, also at the beginning of its definition, which stays in place."""
    found = _NOTED.match(state.src, state.pos)
    if found is None or not (found[1].isdecimal() or found[1] in state.env[NOTES]):
        return False
    tells = bool(found[2]) and (state.pos == 0 or state.src[state.pos - 1] == "\n")
    if not silent:
        state.push("note", "", 0).content = found[1]
    state.pos += len(found[0]) - (len(found[2]) and not tells)
    return True


_LABEL = re.compile(r"\[((?:\\.|[^\[\]\\])+)\]")


def _reference(state: StateBlock, first: int, last: int, silent: bool) -> bool:  # noqa: FBT001 - as above
    """The definition of a link's URL on a line of its own; it is shown if no link uses it."""
    if _NOTE.match(state.src, state.bMarks[first]) or not commonmark_reference(state, first, last, silent):
        return False
    written = state.getLines(first, state.line, state.blkIndent, keepLastLF=False).strip()
    label = _LABEL.match(written)
    tokens = [
        state.push("paragraph_open", "p", 1),
        state.push("inline", "", 0),
        state.push("paragraph_close", "p", -1),
    ]
    for token in tokens:
        token.map, token.meta = [first, state.line], {"tells": normalizeReference(label[1]) if label else ""}
    tokens[1].content, tokens[1].children = written, []
    return True


def _referred(state: StateCore) -> None:
    """Remove the definitions that links use."""
    told = {token.meta["tells"] for token in state.tokens if "tells" in token.meta}
    if not told:
        return
    texts = (token.content for token in state.tokens if token.type == "inline" and "tells" not in token.meta)
    unused = told - {normalizeReference(label) for text in texts for label in _LABEL.findall(text)}
    kept: list[Token] = []
    for token in state.tokens:
        label = token.meta.get("tells")
        if label is None or label in unused:
            kept.append(token)
        elif token.type == "paragraph_close":
            unused.add(label)  # the first definition counts, so others stay
    state.tokens = kept


def _table(state: StateBlock, first: int, last: int, silent: bool) -> bool:  # noqa: FBT001 - as above
    """A row may have more cells than the header, which markdown-it's tables drop."""
    begun = len(state.tokens)
    found = commonmark_table(state, first, last, silent)
    if silent or not found:
        return found
    tokens, state.tokens[begun:] = state.tokens[begun:], []
    width = sum(token.type == "th_open" for token in tokens)
    for token in tokens:
        if token.type == "tr_open":
            line = (token.map or [first])[0]
        elif token.type == "tr_close":
            for cell in _cells(state, line)[width:]:
                state.tokens += _cell(cell, token.level + 1, line)
        state.tokens.append(token)
    return True


def _cells(state: StateBlock, line: int) -> list[str]:
    cells = escapedSplit(state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].strip())
    return cells[cells[:1] == [""] : len(cells) - (cells[-1:] == [""])]


def _cell(content: str, level: int, line: int) -> Iterator[Token]:
    yield Token("td_open", "td", 1, level=level, block=True)
    yield Token("inline", "", 0, map=[line, line + 1], level=level + 1, children=[], content=content.strip())
    yield Token("td_close", "td", -1, level=level, block=True)


_TASK = re.compile(r"\[([ xX])\](?=\s|\Z)\s?")


def _lists(state: StateCore) -> None:
    """Numbers of lists stay as written; `[x]` in an item is a checkbox."""
    lists: list[tuple[Token, list[Token]]] = []
    for at, token in enumerate(state.tokens):
        if token.type in ("ordered_list_open", "bullet_list_open"):
            lists.append((token, []))
        elif token.type == "bullet_list_close":
            lists.pop()
        elif token.type == "ordered_list_close":
            _numbered(*lists.pop())
        elif token.type == "list_item_open":
            lists[-1][1].append(token)
            _box(state.tokens[at : at + 3])


def _numbered(opening: Token, items: Sequence[Token]) -> None:
    written = [int(item.info) for item in items]
    counted = [written[0] + at for at in range(len(items))]
    # Some write `1. 1. 1.` and expect the page to count.
    if written != counted and all(one < other for one, other in pairwise(written)):
        for item, number in zip(items, written, strict=True):
            item.attrSet("value", str(number))
        counted = written
    opening.meta["digits"] = len(str(counted[-1]))


def _box(tokens: Sequence[Token]) -> None:
    item, *_, inline = tokens
    children = inline.children or []
    box = _TASK.match(children[0].content) if children and children[0].type == "text" else None
    if inline.type != "inline" or box is None:
        return
    children[0].content = children[0].content[box.end() :]
    item.attrSet("class", "cr-task")
    inline.children = [Token("task", "", 0, info=box[1].strip().lower()), *children]


_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)
_ADDRESS = re.compile(r"(?<![A-Za-z0-9])https?://[^\s<>\"'`|]+")


def _texts(state: StateCore) -> None:
    """URLs in text are links; in a table cell, which has only one line, `<br>` is a line break."""
    cell = False
    for token in state.tokens:
        cell = token.type in ("td_open", "th_open") if token.nesting else cell
        if token.type == "inline" and token.children:
            token.children = list(_linked(state.md, token.children, cell=cell))


def _linked(md: MarkdownIt, tokens: Sequence[Token], *, cell: bool) -> Iterator[Token]:
    links = 0
    for token in tokens:
        links += token.nesting if token.type in ("link_open", "link_close") else 0
        if token.type != "text" or links:
            yield token
            continue
        for number, part in enumerate(_BREAK.split(token.content) if cell else [token.content]):
            if number:
                yield Token("hardbreak", "br", 0)
            yield from _addresses(md, part)


def _addresses(md: MarkdownIt, text: str) -> Iterator[Token]:
    at = 0
    for found in _ADDRESS.finditer(text):
        address = _trimmed(found[0])
        href = md.normalizeLink(address)
        if not address.partition("://")[2] or not md.validateLink(href):
            continue
        yield Token("text", "", 0, content=text[at : found.start()])
        yield Token("link_open", "a", 1, attrs={"href": href})
        yield Token("text", "", 0, content=address)
        yield Token("link_close", "a", -1)
        at = found.start() + len(address)
    yield Token("text", "", 0, content=text[at:])


def _trimmed(address: str) -> str:
    """The URL without the punctuation after it, and without a bracket that was opened before it."""
    address = address.rstrip(".,;:!?*_~]}")
    extra = address.count(")") - address.count("(")
    while extra > 0 and address.endswith((")", ").", "),")):
        address, extra = address[:-1].rstrip(".,;:!?"), extra - 1
    return address


_WEB = re.compile(r"https?://|mailto:|data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,", re.IGNORECASE)


def parser(preset: str, rules: Sequence[str]) -> MarkdownIt:
    """A parser with some of CommonMark's rules, for which URLs are links and tags are text."""
    md = MarkdownIt(preset, {"html": False, "breaks": True, "maxNesting": DEEPEST}).enable(list(rules))
    # Other links stay as written.
    md.validateLink = lambda url: bool(_WEB.match(url) or file_of(url))  # type: ignore[method-assign]
    for name, rule in _RULES.items():
        md.add_render_rule(name, rule)
    md.core.ruler.push("texts", _texts)
    return md


def markdown(*, references: bool) -> MarkdownIt:
    """The parser for the text of models; `references`: also links whose URL is defined further down."""
    md = parser("commonmark", ("table", "strikethrough"))
    md.use(formulas)
    md.inline.ruler.before("link", "note", _footnote)
    md.core.ruler.after("inline", "lists", _lists)
    md.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    if references:
        md.block.ruler.at("reference", _reference)
        md.core.ruler.after("block", "referred", _referred)
    else:
        md.block.ruler.disable("reference")
    return md
