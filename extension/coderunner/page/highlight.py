"""Python source as HTML with a class for each kind of token; the page's style sheet has the colours."""

from functools import lru_cache
from html import escape

from pygments import lex
from pygments.lexers.python import PythonLexer
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
    (Operator.Word, "k"),
)

LONG = 20_000
"""Characters; a longer cell is shown without colours, since it is lexed anew at each delta."""


@lru_cache(maxsize=256)
def html(source: str) -> str:
    """Give `source` as escaped HTML; the text within its tags is exactly `source`."""
    if len(source) > LONG:
        return escape(source, quote=False)
    lexer = PythonLexer(stripnl=False, ensurenl=False)
    return "".join(_span(kind, text) for kind, text in lex(source, lexer))


def _span(kind: _TokenType, text: str) -> str:
    shown = escape(text, quote=False)
    for parent, name in _CLASSES:
        # A kind contains itself and its subkinds; as a tuple it would seem to contain strings.
        if parent.__contains__(kind):
            return f'<span class="cr-{name}">{shown}</span>'
    return shown
