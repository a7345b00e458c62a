"""What a model reads of a MIME bundle. Bundles come from programs: their data can have any type."""

import json
import re
from html.parser import HTMLParser

from coderunner.outputs import MimeBundle

from .pictures import Image

IMAGES = ("image/png", "image/jpeg", "image/svg+xml", "image/gif", "image/webp")

# As much of an HTML text as is read: many times what is shown of it.
_HTML_LIMIT = 200_000
_CAPTION_LIMIT = 120
_NAMES_LIMIT = 3

# IPython's display objects say nothing about what they show.
_OPAQUE = re.compile(r"<IPython\.core\.display\.\w+ object>")


def image(bundle: MimeBundle) -> Image | None:
    """The image in the bundle, if there is one."""
    for mime in IMAGES:
        data = _text(bundle.get(mime))
        if data and data.strip():
            return Image(mime, data, _caption(bundle))
    return None


def text(bundle: MimeBundle) -> str:
    """The bundle as text: Markdown, then plain, then LaTeX, then HTML without its tags, then JSON."""
    plain = _text(bundle.get("text/plain")) or ""
    said = plain.strip() and not _OPAQUE.fullmatch(plain.strip())
    candidates = (
        _text(bundle.get("text/markdown")),
        plain if said else None,
        _text(bundle.get("text/latex")),
        _html(_text(bundle.get("text/html")) or ""),
        _json(bundle.get("application/json")),
    )
    return next((shown for shown in candidates if shown and shown.strip()), "") or _names(bundle) or plain


def _text(data: object) -> str | None:
    """Text as it is, or as the list of lines that nbformat allows."""
    if isinstance(data, str):
        return data
    if isinstance(data, list | tuple) and all(isinstance(line, str) for line in data):
        return "".join(data)
    return None


def _caption(bundle: MimeBundle) -> str:
    plain = _text(bundle.get("text/plain")) or ""
    if _OPAQUE.fullmatch(plain.strip()):
        return ""
    # Without its angle brackets, which would make an HTML tag of it.
    return " ".join(re.sub(r"[<>\[\]]", "", plain[:_CAPTION_LIMIT]).split())


def _json(data: object) -> str:
    if data is None:
        return ""
    try:
        return json.dumps(data, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return ""


def _names(bundle: MimeBundle) -> str:
    """The types that we cannot read, by name."""
    names = [key[:80] for key in bundle if isinstance(key, str) and key != "text/plain"]
    return f"[{', '.join(names[:_NAMES_LIMIT])}]" if names else ""


def _html(source: str) -> str:
    if not source:
        return ""
    reader = _HtmlText()
    try:
        reader.feed(source[:_HTML_LIMIT])
        reader.close()
    except AssertionError:  # the parser gives up in this way on a broken declaration
        return re.sub(r"<[^<>]*>?", " ", source[:_HTML_LIMIT]).strip()
    return reader.text()


class _HtmlText(HTMLParser):
    """Gathers the text of HTML: blocks as lines, table rows as lines with ` | ` between the cells."""

    _UNSEEN = frozenset({"script", "style", "head", "title", "template"})
    _BLOCKS = frozenset(
        (
            "br",
            "dd",
            "div",
            "dl",
            "dt",
            *(f"h{n}" for n in range(1, 7)),
            "hr",
            "li",
            "p",
            "pre",
            "table",
            "tr",
        )
    )

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[str] = []
        self._unseen = 0
        self._cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in self._UNSEEN
        if tag in self._BLOCKS:
            self._parts.append("\n")
        if tag == "tr":
            self._cells = 0
        if tag in ("td", "th"):
            self._parts.append(" | " if self._cells else "")
            self._cells += 1

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(self._unseen - (tag in self._UNSEEN), 0)
        if tag in self._BLOCKS:
            self._parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._parts.append(re.sub(r"\s+", " ", data))

    def text(self) -> str:
        lines = (line.strip(" ") for line in "".join(self._parts).split("\n"))
        return "\n".join(line for line in lines if line)
