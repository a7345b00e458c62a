"""Markdown of a program as HTML for a box. Pure.

As frames render it: CommonMark with tables, strikethrough, task lists, addresses and formulas. HTML within it
is taken where a box may have it.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from coderunner.page.html.boxes.clean_html import ATTRIBUTES, Cleaned, purified, well_formed
from coderunner.page.html.boxes.formulas import formulas

LONGEST = 200_000
"""The most characters; a frame renders a longer one."""


def rendered(source: str) -> Cleaned | None:
    """Markdown as HTML; None where only a frame shows all of it."""
    if len(source) > LONGEST:
        return None
    tokens = _MARKDOWN.parse(source)
    written = (name.lower() for html in _written(tokens) for name in _NAME.findall(html))
    if not ATTRIBUTES.keys() >= set(written):
        return None
    html: str = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    cleaned = purified(html, ours=True) if well_formed(html, ours=True) else None
    return None if cleaned is None else Cleaned(cleaned)


_NAME = re.compile(r"</?([a-z][^\s/>]*)", re.IGNORECASE)


def _written(tokens: Sequence[Token]) -> Iterator[str]:
    """The HTML in it."""
    for token in tokens:
        if token.type in ("html_block", "html_inline"):
            yield token.content
        yield from _written(token.children or ())


_BOX = re.compile(r"\[([ xX])\](?=\s|\Z)\s?")


def _boxes(state: StateCore) -> None:
    """In an item of a list `[x]` is a box, as in what a model writes."""
    for at, item in enumerate(state.tokens):
        children = state.tokens[at + 2].children if item.type == "list_item_open" else None
        box = _BOX.match(children[0].content) if children and children[0].type == "text" else None
        if not children or box is None:
            continue
        children[0].content = children[0].content[box.end() :]
        item.attrJoin("class", "cr-task")
        children.insert(0, Token("task", "", 0, info=box[1].lower()))


def _task(self: object, tokens: Sequence[Token], at: int, options: Any, env: object) -> str:  # noqa: ANN401 - as markdown-it calls it
    return f'<input type="checkbox" disabled{" checked" if tokens[at].info == "x" else ""}> '


_ADDRESS = re.compile(r"(?<![A-Za-z0-9])https?://[^\s<>\"'`|]+")


def _addresses(state: StateCore) -> None:
    """Addresses of the web in a text are links."""
    for token in state.tokens:
        if token.children:
            token.children = list(_linked(state.md, token.children))


def _linked(md: MarkdownIt, tokens: Sequence[Token]) -> Iterator[Token]:
    links = 0
    for token in tokens:
        links += token.nesting if token.type in ("link_open", "link_close") else 0
        if token.type == "html_inline":
            links += (token.content[:2].lower() == "<a") - (token.content[:3].lower() == "</a")
        if token.type != "text" or links:
            yield token
            continue
        at = 0
        for found in _ADDRESS.finditer(token.content):
            address = found[0].rstrip(".,;:!?*_~)]}")
            yield Token("text", "", 0, content=token.content[at : found.start()])
            yield Token("link_open", "a", 1, attrs={"href": md.normalizeLink(address)})
            yield Token("text", "", 0, content=address)
            yield Token("link_close", "a", -1)
            at = found.start() + len(address)
        yield Token("text", "", 0, content=token.content[at:])


def _markdown() -> MarkdownIt:
    md = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).use(formulas)
    # Before texts are joined: a bracket that is escaped is none.
    md.core.ruler.before("text_join", "boxes", _boxes)
    md.core.ruler.push("addresses", _addresses)
    md.add_render_rule("task", _task)
    return md


_MARKDOWN = _markdown()
