"""Which scripts of an output are there for later ones: those that define something and draw nothing. Pure.

In a notebook all outputs share one page, so libraries load themselves once. Here each block has a frame of
its own. What a script is, is told by what it does, not by whose it is: it runs, it leaves something behind
(a global, a module, an element of its own kind), and it draws into no place of its own output.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from coderunner.outputs import DisplayData, ExecuteResult, MimeBundle, Output
from coderunner.page.html.active_output import string
from coderunner.page.loaders import scripts_in_html
from coderunner.page.loaders.scripts_in_html import Element, Read

LIBRARY = 50_000
"""Characters from which a script is a library, also where it looks for the place in which it stands."""
IDS = 100
"""Ids of an output that are looked for in its scripts; what has more draws into them."""

LOADS = re.compile(r"application/vnd\.(?:bokehjs|holoviews)_load\.v0\+json", re.ASCII)
"""Marks a bundle whose script loads a library, as the formats of BokehJS and HoloViews have it."""
_DRAWN_OTHERWISE = re.compile(
    r"application/vnd\.(?:jupyter\.widget-view|plotly\.v1|vega(?:lite)?\.v\d+|\w+_exec\.v0)(?:[+.]json)?",
    re.ASCII,
)
"""Kinds that are preferred to the HTML and the script beside them."""

_ASSIGNS = r"(?:\.[\w$]{1,100}|\[[^\]\n]{1,100}\])\s{0,9}=(?!=)"
_LASTS = re.compile(
    rf"\b(?:window|globalThis|self|root|global|document|exports|module){_ASSIGNS}"
    r"|\bdefine\s{0,9}\(|\bdefine\.amd\b|\brequire(?:js)?\.(?:config|undef)\b|\bcustomElements\.define\b"
    r"|\btypeof\s{1,9}exports\b|=\s{0,9}typeof\s{1,9}(?:exports|module|define)\b"
    r"|\bcreateElement\(\s{0,9}[\"'](?:script|style|link)[\"']"
    rf"|(?:^|[;{{}}\n])\s{{0,40}}[A-Za-z_$][\w$]{{0,100}}{_ASSIGNS}"
)
"""What stays when a script has run."""
_DECLARES = re.compile(r"(?:^|\n)\s{0,40}(?:var|let|const|(?:async\s{1,9})?function\*?|class)\s{1,9}[\w$]")
"""So do what classic scripts declare."""
_IN_PLACE = re.compile(r"\bdocument\.(?:currentScript|write(?:ln)?)\b")
_ELEMENT = re.compile(r"(?<![\w$.])element\b")
"""The place of a script that is an output by itself."""

_ID = re.compile(
    r"""\sid\s{0,9}=\s{0,9}(?:"([^"]{1,200})"|'([^']{1,200})'|([^\s"'>]{1,200}))""", re.IGNORECASE
)
_SEEN = re.compile(
    r"<(?:img|svg|video|audio|canvas|iframe|object|embed|math|hr|input|button|select|textarea|progress|meter)\b",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True)
class Loader:
    """A script, or a style, that later outputs may need."""

    name: str
    """Its kind and the hash of its content: `html-…`, `script-…`."""
    source: str
    start: int
    end: int

    @property
    def content(self) -> str:
        """What is loaded: HTML with one element, or a script."""
        return self.source[self.start : self.end]

    @property
    def size(self) -> int:
        """Characters of it."""
        return self.end - self.start


def loaders(output: Output) -> tuple[Loader, ...]:
    """What an output loads for later ones, in order."""
    if not isinstance(output, DisplayData | ExecuteResult):
        return ()
    data = output.data
    if any(_DRAWN_OTHERWISE.fullmatch(name) for name in data):
        return ()
    if source := string(data.get("text/html")):
        return tuple(_of_html(source))
    source, loads = _script(data)
    # Jupyter runs a script that is an output by itself in a function of its own, like a module.
    drawn = _in_place(source) or _ELEMENT.search(source)
    if source and (loads or (not drawn and _lasts(source, module=True))):
        return (_loader("script", source, 0, len(source)),)
    return ()


def _script(data: MimeBundle) -> tuple[str, bool]:
    """The script of a bundle, and whether it says that it loads something."""
    loads = [string(value) for name, value in data.items() if LOADS.fullmatch(name)]
    return next(filter(None, loads), "") or string(data.get("application/javascript")), bool(loads)


def _of_html(source: str) -> Iterator[Loader]:
    if not re.search("<script", source, re.IGNORECASE):
        return
    found = scripts_in_html.read(source)
    ids = frozenset(next(filter(None, each)) for each in _ID.findall(found.rest))
    empty = _draws_nothing(found)
    for element in found.elements:
        its = element.name == "style" and empty
        if its or (element.runs and _stays(source, element, ids)):
            yield _loader("html", source, element.start, element.end)


def _draws_nothing(found: Read) -> bool:
    return not _SEEN.search(found.rest) and not _TAG.sub("", found.rest).strip()


def _stays(source: str, element: Element, ids: frozenset[str]) -> bool:
    """Whether a script is there for later ones."""
    if element.attributes.get("src", ""):
        return True
    text = source[slice(*element.inside)]
    if _named(text, ids) or _in_place(text):
        return False
    return _lasts(text, module=element.module)


def _named(text: str, ids: frozenset[str]) -> bool:
    """Whether a script speaks of a place of its own output."""
    long = [each for each in ids if len(each) > 2]
    if len(long) > IDS:
        return len(text) < LIBRARY
    return any(each in text for each in long)


def _in_place(text: str) -> bool:
    return len(text) < LIBRARY and bool(_IN_PLACE.search(text))


def _lasts(text: str, *, module: bool = False) -> bool:
    return bool(_LASTS.search(text)) or (not module and bool(_DECLARES.search(text)))


def _loader(kind: str, source: str, start: int, end: int) -> Loader:
    content = source[start:end].encode("utf-8", "surrogatepass")
    return Loader(f"{kind}-{hashlib.sha256(content).hexdigest()[:40]}", source, start, end)
