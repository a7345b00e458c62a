"""CSS of programs that may stand in a box of the page. Pure.

Not a parser but a small language within CSS that every parser reads alike: plain selectors, known properties,
values without addresses, no escapes, no nesting. What is not in it is not taken, and its output is drawn in a
frame. A box has a shadow root, so no selector reaches beyond it.
"""

import re
from functools import lru_cache

_PROPERTIES = re.compile(
    r"(?:background(?:-color)?|color|opacity|visibility|display|float|clear|direction|unicode-bidi|tab-size"
    r"|border(?:-(?:top|right|bottom|left))?(?:-(?:width|style|color))?"
    r"|border-(?:collapse|spacing|radius)|border-(?:top|bottom)-(?:left|right)-radius|box-shadow|box-sizing"
    r"|outline(?:-(?:width|style|color|offset))?|(?:margin|padding)(?:-(?:top|right|bottom|left))?"
    r"|(?:min-|max-)?(?:width|height)|overflow(?:-[xy]|-wrap)?|text-overflow|white-space|word-(?:break|wrap|spacing)"
    r"|font(?:-(?:family|size|style|weight|variant(?:-numeric)?|feature-settings))?|line-height|letter-spacing"
    r"|text-(?:align|indent|transform|shadow|decoration(?:-(?:line|color|style))?)|vertical-align"
    r"|caption-side|table-layout|empty-cells|list-style(?:-type|-position)?|hyphens|cursor|user-select"
    r"|flex(?:-(?:direction|wrap|grow|shrink|basis|flow))?|align-(?:items|self|content)|justify-content|order"
    r"|(?:row-|column-)?gap|column-(?:count|width)|-webkit-(?:font-smoothing|text-size-adjust)"
    r"|-moz-osx-font-smoothing|text-rendering|z-index|top|left|right|bottom)",
    re.IGNORECASE,
)
"""None of them sets anything in motion; what they move stays in its box, which cuts off what leaves it."""
_POSITION = re.compile(
    r"\s*(?:static|relative|sticky|initial|inherit|unset)\s*(?:!important)?\s*", re.IGNORECASE
)

_TEXT = re.compile(r"\"[\w ,.-]*\"|'[\w ,.-]*'")
# `font-color` is no function of CSS, but great_tables writes it.
_CALL = re.compile(
    r"(?<![\w-])(?:rgba?|hsla?|calc|font-color)\([\w.%#,+\-*/ \t\n]*\)", re.ASCII | re.IGNORECASE
)
_GRADIENT = re.compile(r"(?<![\w-])linear-gradient\([\w.%#,+\-/ \t\n]*\)", re.ASCII | re.IGNORECASE)
_VALUE = re.compile(r"[\w.%#,+\-/ \t\n]+(?:![ \t]*important)?[ \t\n]*", re.ASCII)

_PSEUDO = (
    r"hover|first-child|last-child|only-child|first-of-type|last-of-type|only-of-type|empty|root"
    r"|nth-(?:last-)?(?:child|of-type)\([\w+\- ]{1,20}\)"
)
_SELECTORS = re.compile(rf"(?:[\w\-.#*,>+~\s]|:(?:{_PSEUDO})(?![\w-]))+", re.ASCII)

_COMMENT = re.compile(r"/\*[^*]*\*+(?:[^/*][^*]*\*+)*/")


@lru_cache(maxsize=512)
def declarations(text: str) -> bool:
    """Whether all of a `style` attribute, or of what stands between two braces, may be in a box."""
    return all(not each.strip() or _declared(each) for each in text.split(";"))


def _declared(text: str) -> bool:
    name, colon, value = text.partition(":")
    if name.strip().lower() == "position":
        return _POSITION.fullmatch(value) is not None
    if not colon or not _PROPERTIES.fullmatch(name.strip()):
        return False
    value = _CALL.sub(" x ", _TEXT.sub(" x ", value))
    return _VALUE.fullmatch(_GRADIENT.sub(" x ", value)) is not None


def sheet(text: str) -> str | None:
    """A style sheet without its comments; None if not all of it may be in a box."""
    text = _COMMENT.sub(" ", text)
    *rules, rest = text.split("}")
    return text if not rest.strip() and all(map(_rule, rules)) else None


def _rule(text: str) -> bool:
    selectors, brace, inside = text.partition("{")
    return bool(brace) and _SELECTORS.fullmatch(selectors) is not None and declarations(inside)
