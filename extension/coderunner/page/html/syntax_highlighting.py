"""Source code as HTML with a class for each kind of token; the page's style sheet has the colours."""

from functools import lru_cache
from html import escape

from pygments import lex
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Name, Number, Operator, String, _TokenType
from pygments.util import ClassNotFound

from coderunner.languages import named

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
    for names in ("css", "diff", "html", "ini", "json", "toml", "xml", "yaml yml")
    for name in names.split()
}
"""What is coloured beside the languages of kernels, by the names that models use for it."""


@lru_cache(maxsize=256)
def html(source: str, language: str = PYTHON) -> str:
    """Give `source` as escaped HTML; the text within its tags is exactly `source`."""
    lexer = _lexer(language.casefold()) if len(source) <= LONG else None
    if lexer is None:
        return escape(source, quote=False)
    return "".join(_span(kind, text) for kind, text in lex(source, lexer))


@lru_cache(maxsize=256)
def _lexer(language: str) -> Lexer | None:
    """The lexer of a language by a name that models use for it; none for what we do not know."""
    known = named(language)
    name = known.lexer if known is not None else _NAMES.get(language)
    try:
        return get_lexer_by_name(name, stripnl=False, ensurenl=False) if name else None
    except ClassNotFound:
        return None


def _span(kind: _TokenType, text: str) -> str:
    shown = escape(text, quote=False)
    for parent, name in _CLASSES:
        # A token type contains its subtypes; typed as a tuple it would seem to contain strings.
        if parent.__contains__(kind):
            # Without quotes, since a page gets this many times.
            return f"<span class=cr-{name}>{shown}</span>"
    return shown
