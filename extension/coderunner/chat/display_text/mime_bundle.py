"""What a model reads of a MIME bundle. Bundles come from programs: their data can have any type."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from coderunner.chat.display_text import (
    html,
    inline_scripts,
    json_summary,
    media,
    plotly,
    uninformative_text,
    vega,
)
from coderunner.chat.display_text.tables import Table
from coderunner.images import image_type
from coderunner.images.image_type import Image, Unreadable
from coderunner.outputs import MimeBundle
from coderunner.text import terminal_text

WIDGET = "application/vnd.jupyter.widget-view+json"

_NAMES_LIMIT = 3
_SHORTEST_TABLE = 3
"""Lines by which the text of a table may be longer than its rows: header, dtypes, count."""

# Lines and corners of which tables and formulas are drawn in a terminal.
_DRAWN = re.compile(r"[\u2500-\u257f\u239b-\u23b3\u23b4-\u23bf\u2320\u2321\u23ae]")
# Programs for displays that follow: HoloViews, Bokeh, py3Dmol.
_LOADER = re.compile(r"application/[\w.-]{1,80}_load\.v0(\+json)?")
# How pandas says that a table goes on below.
_WRAPPED = re.compile(r"\\\s*$", re.MULTILINE)


def image(bundle: MimeBundle) -> Image | None:
    """The image in the bundle, if there is one that can be read."""
    bundle = _without_colours(bundle)
    found = image_type.of_bundle(bundle)
    if not isinstance(found, Image):
        return None
    return replace(found, told=bool(_latex(bundle)))


def text(bundle: MimeBundle) -> str:
    """The bundle as text: of all that it offers what says most in the fewest words, by `_TABLE`."""
    bundle = _without_colours(bundle)
    return next((shown for read in _TABLE if (shown := read(bundle))), "")


def _without_colours(bundle: MimeBundle) -> MimeBundle:
    """The bundle with its plain text as read: where `rich` is installed, each object's is in colours."""
    plain = image_type.joined(bundle.get("text/plain")) or ""
    return {**bundle, "text/plain": terminal_text.plain(plain)} if "\x1b" in plain else bundle


def _plain(bundle: MimeBundle) -> str:
    """What a program says in plain text, if it says something."""
    plain = image_type.joined(bundle.get("text/plain")) or ""
    return "" if uninformative_text.opaque(plain) else uninformative_text.without(plain)


def _unreadable(bundle: MimeBundle) -> str:
    found = image_type.of_bundle(bundle)
    return str(found) if isinstance(found, Unreadable) else ""


def _markdown(bundle: MimeBundle) -> str:
    return uninformative_text.without(image_type.joined(bundle.get("text/markdown")) or "")


def _chart(bundle: MimeBundle) -> str:
    """Figures by what they are made of, wherever they stand."""
    for key, value in bundle.items():
        if key == plotly.MIME and (said := plotly.told(value)):
            return said
        if vega.MIME.fullmatch(str(key)) and (said := vega.told(value)):
            return said
        if key == "application/geo+json" and (said := json_summary.geojson(value)):
            return said
    return inline_scripts.told(image_type.joined(bundle.get("application/javascript")) or "")


def _latex(bundle: MimeBundle) -> str:
    """A formula where its plain text is drawn in two dimensions."""
    latex = (image_type.joined(bundle.get("text/latex")) or "").strip()
    plain = image_type.joined(bundle.get("text/plain")) or ""
    # A document (statsmodels, Code) is no formula.
    formula = (
        latex.startswith(("$", "\\[", "\\(", "\\begin{equation", "\\begin{align")) and len(latex) < 20_000
    )
    return latex if formula and ("\n" in plain.strip() or uninformative_text.opaque(plain)) else ""


def _table(bundle: MimeBundle) -> str:
    """A table of HTML, where its plain text does not serve as well."""
    source = image_type.joined(bundle.get("text/html")) or ""
    if "<table" not in source[:2_000_000].lower():
        return ""
    page = html.read(source)
    plain = image_type.joined(bundle.get("text/plain")) or ""
    if len(page.tables) != 1 or not page.tables[0].headers:
        return ""
    return page.text if uninformative_text.opaque(plain) or not _serves(plain, page.tables[0]) else ""


def _serves(plain: str, table: Table) -> bool:
    """Whether a plain text is the same table, simple and in columns."""
    if table.spans or len(table.headers) > 1 or _DRAWN.search(plain) or _WRAPPED.search(plain):
        return False
    return plain.count("\n") <= table.count + len(table.headers) + _SHORTEST_TABLE


def _html(bundle: MimeBundle) -> str:
    page = html.read(image_type.joined(bundle.get("text/html")) or "")
    return "\n".join(filter(None, (page.text, inline_scripts.told(page.scripts))))


def _any_latex(bundle: MimeBundle) -> str:
    return (image_type.joined(bundle.get("text/latex")) or "").strip("\n")


def _json(bundle: MimeBundle) -> str:
    return json_summary.told(bundle.get("application/json"))


def _file(bundle: MimeBundle) -> str:
    """A sound, a film or a document that stands in the bundle itself."""
    for kind, value in bundle.items():
        data = image_type.joined(value)
        if (
            data
            and isinstance(kind, str)
            and (kind.startswith(("audio/", "video/")) or kind == "application/pdf")
        ):
            return media.file(kind[:60], data)
    return ""


def _names(bundle: MimeBundle) -> str:
    """The types that we cannot read, by name; not HTML of which nothing is to be seen."""

    def unread() -> Iterator[str]:
        for key, value in bundle.items():
            shown = key != "text/html" or html.read(image_type.joined(value) or "<script>x").scripts.strip()
            if isinstance(key, str) and key not in ("text/plain", WIDGET) and value != "" and shown:
                yield key[:80]

    names = [] if any(_LOADER.fullmatch(str(key)) for key in bundle) else list(unread())
    return f"[{', '.join(names[:_NAMES_LIMIT])}]" if names else ""


def _address(bundle: MimeBundle) -> str:
    """An object that says no more of itself than where it is, and shows nothing else."""
    plain = image_type.joined(bundle.get("text/plain")) or ""
    return uninformative_text.without(plain) if len(bundle) == 1 else "[a widget]" if WIDGET in bundle else ""


_TABLE: tuple[Callable[[MimeBundle], str], ...] = (
    _unreadable,
    _markdown,
    _chart,
    _latex,
    _table,
    _plain,
    _any_latex,
    _html,
    _json,
    _file,
    _names,
    _address,
)
"""What is told of a bundle, the best first; what has nothing to say is passed over."""
