"""Source code as HTML with a class for each kind of token; the page's style sheet has the colours."""

from functools import cache, lru_cache
from html import escape

from pygments import lex
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Name, Number, Operator, String, _TokenType

_CLASSES: tuple[tuple[_TokenType, str], ...] = (
    (Keyword, "k"),
    (Comment, "c"),
    (String, "s"),
    (Number, "n"),
    (Name.Function, "f"),
    (Name.Class, "f"),
    (Name.Decorator, "d"),
    (Name.Builtin, "b"),
    (Name.Tag, "k"),
    (Name.Attribute, "f"),
    (Operator.Word, "k"),
)

LONG = 20_000
"""The most characters that are coloured, since a cell is lexed again at each delta."""


PYTHON = "python"

_NAMES = {
    name: names.split()[0]
    for names in (
        "python py python3 ipython ipython3 py3",
        "bash sh shell zsh",
        "c",
        "cpp c++",
        "csharp c#",
        "css",
        "diff",
        "go golang",
        "html",
        "ini",
        "java",
        "javascript js",
        "json",
        "julia",
        "r",
        "ruby rb",
        "rust rs",
        "sql",
        "toml",
        "typescript ts",
        "xml",
        "yaml yml",
    )
    for name in names.split()
}
"""The languages that are coloured, by the names that models use for them."""


@lru_cache(maxsize=256)
def html(source: str, language: str = PYTHON) -> str:
    """Give `source` as escaped HTML; the text within its tags is exactly `source`."""
    name = _NAMES.get(language.casefold())
    if name is None or len(source) > LONG:
        return escape(source, quote=False)
    return "".join(_span(kind, text) for kind, text in lex(source, _lexer(name)))


@cache
def _lexer(name: str) -> Lexer:
    return get_lexer_by_name(name, stripnl=False, ensurenl=False)


def _span(kind: _TokenType, text: str) -> str:
    shown = escape(text, quote=False)
    for parent, name in _CLASSES:
        # A token type contains its subtypes; typed as a tuple it would seem to contain strings.
        if parent.__contains__(kind):
            # Without quotes, since a page gets this many times.
            return f"<span class=cr-{name}>{shown}</span>"
    return shown
