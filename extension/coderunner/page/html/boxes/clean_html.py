"""HTML of a program that may stand in a box of the page, cleaned by nh3; or none. Pure.

Whether it may is decided first, by reading it strictly: each element is closed where it was opened, all are
known, none acts, nothing is fetched. What is taken is then cleaned, so that what comes of it is safe whatever
was read. Both cost time in proportion to its length: nothing that makes a parser of HTML repeat open elements
is well-formed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import quote

from coderunner.files.file_links import file_of
from coderunner.page.html.boxes import styles
from coderunner.page.html.boxes.formulas_in_html import typeset
from coderunner.page.html.boxes.tags import BEGINS, TAG, VOID

try:
    import nh3
except ImportError:  # an environment from before it was required: then all of this is drawn in frames
    nh3 = None  # type: ignore[assignment]

LARGEST = 2_000_000
"""The most characters; a larger one is drawn in a frame, which has a process of its own."""
TAGS = 40_000
"""The most tags, for the same reason."""
DEEPEST = 100
"""The most levels of nested elements: less than where browsers begin to change the tree (512)."""
SPANS = 20_000
"""The most rows and columns that all cells together span: browsers lay out a place for each."""

_GLOBAL = frozenset({"class", "id", "style", "title", "lang", "dir", "align", "valign", "role", "hidden"})
_ARIA = frozenset({"aria-label", "aria-hidden", "aria-describedby", "aria-labelledby", "aria-level"})
_PLAIN = (
    "abbr address article aside b bdi bdo big blockquote br caption center cite code dd del dfn div dl dt em "
    "figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i ins kbd main mark nav p pre q rp rt ruby s samp "
    "section small span strike strong sub summary sup tbody tfoot thead tr tt u ul var wbr"
)
_WITH = {
    "a": "href",
    "col": "span width",
    "colgroup": "span width",
    "details": "open",
    "font": "color size face",
    "img": "src alt width height",
    "li": "value",
    "ol": "start type reversed",
    "table": "border cellpadding cellspacing width summary frame rules bgcolor",
    "td": "colspan rowspan headers width height bgcolor nowrap abbr",
    "th": "colspan rowspan headers width height bgcolor nowrap abbr scope",
    "time": "datetime",
}
ATTRIBUTES: Mapping[str, frozenset[str]] = {
    **{tag: frozenset[str]() for tag in _PLAIN.split()},
    **{tag: frozenset(names.split()) for tag, names in _WITH.items()},
}
"""The elements that a box may have, and what each may have beside `_GLOBAL`."""

_NOTHING_LOST = re.compile(
    r"data-[\w.-]+|tabindex|name|cite|itemprop|itemscope|itemtype|translate|spellcheck|halign|char|charoff"
)
"""Attributes that only a script, or another document, would make something of."""

_OURS: Mapping[str, frozenset[str]] = {
    "input": frozenset({"type", "disabled", "checked"}),
    "code-runner-formula": frozenset({"data-tex", "data-display"}),
}
"""Boxes of tasks in Markdown that is rendered here, and formulas."""

_NAME = re.compile(r"""([^\s"'<>/=]++)(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'=<>`]++))?+""")
_STYLE = re.compile(
    r"""<style(?:\s++(?:scoped(?:="")?|type=["']text/css["']))*+\s*+>([^<]*+)</style\s*+>""", re.IGNORECASE
)
_PICTURE = re.compile(r"data:image/(?:png|jpe?g|gif|webp|bmp|avif|svg\+xml);base64,[A-Za-z0-9+/=\s]*+")
_ELSEWHERE = re.compile(r"(?:https?://|mailto:)[^\s<>\"]{1,2000}", re.IGNORECASE)
FILE = "#cr-file="
"""Begins the address of a link to a file beside the code, which the page's script opens."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What of some HTML stands in a box."""

    html: str
    style: str = ""
    """Its style sheets, which count in the box only."""


def cleaned(source: str) -> Cleaned | None:
    """HTML that says the same without anything that acts; None if it would lose something by that.

    Also None where it is only a style: that is meant for others, which are in its block's frame.
    """
    if nh3 is None or len(source) > LARGEST:
        return None
    sheets = [styles.sheet(found) for found in _STYLE.findall(source)]
    rest = _STYLE.sub("", source) if sheets else source
    if any(each is None for each in sheets) or not rest.strip() or not well_formed(rest):
        return None
    drawn = typeset(rest)
    html = None if drawn is None else purified(drawn, ours=drawn is not rest)
    if html is None:
        return None
    return Cleaned(html if _seen(html) else "", "\n".join(filter(None, sheets)))


_SEEN = re.compile(r"<(?:img|hr|table|input)\b|(?<!-)(?:height|background|border)", re.IGNORECASE)


def _seen(html: str) -> bool:
    """Whether anything of it is seen; progress bars leave a text without a word behind."""
    return bool(_SEEN.search(html) or re.sub(r"<[^>]*>", "", html).strip())


def well_formed(source: str, *, ours: bool = False) -> bool:
    """Whether each tag is known and closed where it was opened, with attributes that may go or stay."""
    known = ATTRIBUTES.keys() | (_OURS.keys() if ours else ())
    opened: list[str] = []
    tags = at = 0
    while begins := BEGINS.search(source, at):
        found = TAG.match(source, begins.start())
        tags += 1
        if found is None or tags > TAGS:
            return False
        at = found.end()
        if closed := found["closed"]:
            if not opened or opened.pop() != closed.lower():
                return False
        elif tag := found["opened"]:
            if tag.lower() not in known or not _fits(tag.lower(), found["attributes"], found["void"]):
                return False
            if tag.lower() not in VOID:
                opened.append(tag.lower())
        if len(opened) > DEEPEST:
            return False
    return not opened


def _fits(tag: str, attributes: str, slash: str) -> bool:
    if slash and tag not in VOID:
        return False
    names = {name.lower() for name in _NAME.findall(attributes)} if attributes else frozenset[str]()
    own = ATTRIBUTES.get(tag, frozenset()) | _OURS.get(tag, frozenset())
    return all(map(_NOTHING_LOST.fullmatch, names - _GLOBAL - _ARIA - own))


@dataclass(slots=True)
class _Values:
    """The values of one document's attributes, as the cleaner reads them."""

    lost: bool = False
    spans: int = 0
    addresses: list[str] = field(default_factory=list)

    def keep(self, _tag: str, name: str, value: str) -> str | None:
        """What an attribute becomes; nothing if it may not stay, which loses something."""
        kept = self._kept(name, value)
        self.lost = self.lost or kept is None
        return kept

    def _kept(self, name: str, value: str) -> str | None:
        match name:
            case "style":
                return value if styles.declarations(value) else None
            case "src":
                self.addresses.append(value)
                return value if _PICTURE.fullmatch(value) else None
            case "href":
                self.addresses.append(value)
                return _address(value)
            case "colspan" | "rowspan" | "span":
                number = int(value) if value.isdecimal() and len(value) < 5 else SPANS
                self.spans += number
                return value if self.spans < SPANS and number <= 1000 else None
        return value


def _address(value: str) -> str | None:
    """A link to the web, to a place in the same box, or to a file of the chat."""
    if value.startswith("#") or _ELSEWHERE.fullmatch(value):
        return value
    path = file_of(value)
    return f"{FILE}{quote(path)}" if path else None


_ADDRESS = re.compile(r"(?<![\w-])(?:href|src)\s*=", re.IGNORECASE)


@cache
def _rules(*, ours: bool) -> Mapping[str, object]:
    known = {**ATTRIBUTES, **(_OURS if ours else {})}
    own = {tag: set(names) for tag, names in known.items() if names}
    return {
        "tags": set(known),
        "clean_content_tags": {"script", "style"},
        "attributes": {"*": set(_GLOBAL | _ARIA), **own},
        "url_schemes": {"http", "https", "mailto", "data", "sandbox"},
        "link_rel": "noopener noreferrer",
        "set_tag_attribute_values": {"a": {"target": "_blank"}},
    }


def purified(source: str, *, ours: bool = False, whole: bool = True) -> str | None:
    """HTML with nothing in it but what is listed here; None if something that counts had to go.

    `ours`: boxes of tasks and formulas are in it, which are written here. Not `whole`: whatever is left.
    """
    if nh3 is None:
        return None
    values = _Values()
    html = nh3.clean(source, attribute_filter=values.keep, **_rules(ours=ours))  # type: ignore[arg-type]
    # An address of an unknown kind goes before the filter sees it.
    lost = values.lost or len(values.addresses) != len(_ADDRESS.findall(source))
    return None if lost and whole else html
