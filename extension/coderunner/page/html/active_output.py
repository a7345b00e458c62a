"""Active output (HTML, scripts, charts): data for a sandboxed frame, never HTML of the page. Pure."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from coderunner.outputs import MimeBundle
from coderunner.page.html.boxes import data_resource

LARGEST = 12_000_000
"""The most characters of one such output; a larger one would slow the page down and shows as text."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Types of data that a frame renders the same way."""

    pattern: re.Pattern[str]
    text: bool = False
    """The data are text, otherwise JSON."""
    written: bool = False
    """The source is readable for a person."""


def _kind(pattern: str, *, text: bool = False, written: bool = False) -> Kind:
    return Kind(re.compile(pattern, re.ASCII), text, written)


WIDGET = "application/vnd.jupyter.widget-view+json"
"""A reference to a widget: the id of its model, which the block's panel has."""

ABOVE_IMAGES = (
    _kind(r"application/vnd\.jupyter\.widget-view\+json"),
    _kind(r"application/vnd\.plotly\.v1\+json"),
    _kind(r"application/vnd\.vega(lite)?\.v\d+([+.]json)?"),
    _kind("text/html", text=True),
    _kind(r"application/vnd\.dataresource\+json"),
    _kind("text/markdown", text=True, written=True),
    _kind("text/latex", text=True, written=True),
)
"""Kinds that are preferred to an image, the best first, then in JupyterLab's order."""
BELOW_IMAGES = (_kind("application/javascript", text=True), _kind("application/json"))

EXECUTED = re.compile(r"application/vnd\.(?:bokehjs|holoviews)_(?:load|exec)\.v0\+json", re.ASCII)
"""Marks a bundle whose parts belong together: HTML, and a script that loads a library or draws with it."""


@dataclass(frozen=True, slots=True)
class ActiveOutput:
    """One kind of a MIME bundle, as the kernel sent it: only a frame may render it."""

    kind: str
    data: object
    metadata: object = None
    plain: str = ""
    """The text shown where there is no frame."""
    size: int = 0
    """Its characters, as JSON where it is no text."""
    instead: str = ""
    """Safe HTML that a frame shows where this shows nothing: a picture that came with it, or a text."""


@dataclass(frozen=True, slots=True)
class Boxed:
    """An output that the page draws in a box: HTML that was cleaned, or data that its own script draws."""

    active: ActiveOutput
    """The same for a frame, where it stands below something that acts."""
    html: str = ""
    style: str = ""


def found(data: MimeBundle, metadata: MimeBundle, kinds: Sequence[Kind]) -> ActiveOutput | None:
    """The best of `kinds` that a bundle has."""
    if (executed := next(filter(EXECUTED.fullmatch, data), None)) is not None:
        return _executed(executed, data, metadata)
    for kind in kinds:
        for name in data:
            if kind.pattern.fullmatch(name) and (active := _active(name, kind, data, metadata)):
                return active
    return None


def _active(name: str, kind: Kind, data: MimeBundle, metadata: MimeBundle) -> ActiveOutput | None:
    value = string(data[name]) if kind.text else data[name]
    if name == data_resource.KIND:  # what is no table is unfolded as JSON
        html = data_resource.table(value)
        name, value = ("application/json", value) if html is None else ("text/html", html)
    size = _size(value)
    if value in (None, "") or size > LARGEST:
        return None
    plain = string(value if kind.written else data.get("text/plain"))
    return ActiveOutput(name, value, metadata.get(name), plain or names(data), size)


def _executed(name: str, data: MimeBundle, metadata: MimeBundle) -> ActiveOutput | None:
    html = string(data.get("text/html"))
    # Its script may stand under either name, under both, or in the HTML already.
    script = string(data[name]) or string(data.get("application/javascript"))
    parts = {"html": html, "script": "" if script.strip() in html else script}
    if (not html and not script) or len(html) + len(script) > LARGEST:
        return None
    plain = string(data.get("text/plain")) or names(data)
    return ActiveOutput(name, parts, metadata.get(name), plain)


def _size(value: object) -> int:
    try:
        return len(value) if isinstance(value, str) else len(json.dumps(value))
    except RecursionError:  # nested too deep to render
        return LARGEST + 1


def names(data: MimeBundle) -> str:
    """The types of a bundle, for a reader who sees none of them."""
    return f"({', '.join(sorted(str(kind)[:100] for kind in data)[:8]) or 'empty output'})"


def string(value: object) -> str:
    """Text as it is: nbformat allows a list of lines wherever it has text."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return value if isinstance(value, str) else ""
