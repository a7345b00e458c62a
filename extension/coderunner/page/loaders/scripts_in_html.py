"""The scripts and styles of HTML that a program made, and what else is in it. Pure; linear in its length."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_BEGINS = re.compile(r"<!--|<(script|style)(?=[\s/>])", re.IGNORECASE)
_ATTRIBUTES = re.compile(r"""(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""")
_ATTRIBUTE = re.compile(r"""([^\s"'>/=]{1,100})(?:\s{0,100}=\s{0,100}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_ENDS = {
    "script": re.compile(r"</script(?=[\s/>])[^>]*>", re.IGNORECASE),
    "style": re.compile(r"</style(?=[\s/>])[^>]*>", re.IGNORECASE),
}

_RUNS = re.compile(r"|module|(?:text|application)/(?:x-)?(?:java|ecma)script", re.IGNORECASE)
"""Types of scripts that run; others are data."""


@dataclass(frozen=True, slots=True)
class Element:
    """A script or a style of a source, by its places there."""

    name: str
    start: int
    end: int
    attributes: Mapping[str, str] = field(default_factory=dict)
    inside: tuple[int, int] = (0, 0)

    @property
    def runs(self) -> bool:
        """It is a script that a browser of today runs."""
        kind = self.attributes.get("type", "").strip()
        return self.name == "script" and bool(_RUNS.fullmatch(kind)) and "nomodule" not in self.attributes

    @property
    def module(self) -> bool:
        """Its declarations are its own."""
        return self.attributes.get("type", "").strip().lower() == "module"


@dataclass(frozen=True, slots=True)
class Read:
    """HTML, taken apart."""

    elements: tuple[Element, ...]
    """Its scripts and styles, in order."""
    rest: str
    """What is neither of those, nor a comment."""


def read(source: str) -> Read:
    """Take HTML apart, as a browser does."""
    elements: list[Element] = []
    rest: list[str] = []
    at = 0
    while (begins := _BEGINS.search(source, at)) is not None:
        rest.append(source[at : begins.start()])
        if begins[1] is None:
            end = source.find("-->", begins.end())
            at = len(source) if end < 0 else end + 3
            continue
        opened = _ATTRIBUTES.match(source, begins.end())
        if opened is None:
            return Read(tuple(elements), "".join(rest))
        name = begins[1].lower()
        closed = _ENDS[name].search(source, opened.end())
        inside = (opened.end(), closed.start() if closed else len(source))
        at = closed.end() if closed else len(source)
        elements.append(Element(name, begins.start(), at, _attributes(opened[0][:-1]), inside))
    rest.append(source[at:])
    return Read(tuple(elements), "".join(rest))


def _attributes(text: str) -> Mapping[str, str]:
    """The first of a name counts."""
    found: dict[str, str] = {}
    for name, *values in _ATTRIBUTE.findall(text):
        found.setdefault(name.lower(), next(filter(None, values), ""))
    return found
