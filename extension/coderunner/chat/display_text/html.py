"""HTML as text: what a reader would see of it, tables as Markdown, media in words; no scripts, no styles.

HTML comes from programs. It is read in one pass, of which nothing grows faster than the text.
"""

import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser

from coderunner.chat.display_text import media, uninformative_text
from coderunner.chat.display_text.tables import Cell, Table

MOST = 300_000
"""Characters of markup that are read, without scripts, styles and files in it: many times what is shown."""
MOST_FRAMED = 500_000
"""Characters of pages within (`srcdoc`) that are read besides: reports come with styles and pictures."""
MOST_SCRIPT = 4_000_000
"""Characters of scripts that are kept: charts have their data in them."""
DEEPEST = 6
"""Tables within tables that are told apart."""

_HIDDEN_CODE = re.compile(r"<(script|style)\b[^<>]{0,2000}>", re.IGNORECASE)
_ENDS = {name: re.compile(rf"</{name}\b[^>]*>?", re.IGNORECASE) for name in ("script", "style")}
_SRCDOC = re.compile(r"""\bsrcdoc\s*=\s*(?:"[^"]*"|'[^']*')""", re.IGNORECASE)
_TITLE = re.compile(r"<title\b[^<>]{0,200}>[^<]{0,2000}</title>", re.IGNORECASE)
_ROW = re.compile(r"<tr\b", re.IGNORECASE)

_END = "\x1f"
"""Where the text ends, and what is ours begins."""
_CLOSERS = _END.join(
    ("", "--!>", "-->", "]]>", '">', "'>", "</textarea>", "</title>", "</iframe>", "</xmp>", "")
)
"""Ends whatever is open at the end of a text. Without it the parser looks for the end of each comment or tag
that has none, from each of them on."""

# fmt: off
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "br", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
    "legend", "li", "main", "nav", "ol", "option", "p", "pre", "section", "summary", "table", "ul",
})
# fmt: on
_SPOKEN = {"li": "- ", "text": " "}
"""What stands before the words of an element: labels of a drawing are words of their own."""
_UNSEEN = frozenset(("head", "template", "noscript", "canvas", "object", "datalist", "noframes", "noembed"))
"""What is not shown, or only to those who cannot see what is shown in its place."""
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
_HIDES = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SPACE = re.compile(r"[^\S\xa0]+|\xa0+")
_ENDED_BY_ITSELF = frozenset(("p", "li", "dt", "dd", "tr", "td", "th", "option"))
"""What has no need of an end tag: the next of its kind ends it."""


@dataclass(frozen=True, slots=True)
class Page:
    """What is to be read of a piece of HTML."""

    text: str
    tables: tuple[Table, ...] = ()
    """Those that stand in no other one."""
    scripts: str = ""
    """Its scripts, one after the other."""
    words: str = ""
    """Its text without the tables."""


def read(source: str) -> Page:
    """Read a piece of HTML. Costs some microseconds a character at most, and nothing for what is too much."""
    if not source.strip():
        return Page("")
    markup, scripts = _parted(media.shortened(source.replace(_END, " ")))
    framed = sum(len(each[0]) for each in _SRCDOC.finditer(markup, 0, MOST + MOST_FRAMED))
    most = MOST + min(framed, MOST_FRAMED)
    read_, rest = markup[:most], markup[most:]
    reader = _Reader()
    try:
        reader.feed(f"{read_}{_CLOSERS}")
        reader.close()
    except AssertionError:  # the parser gives up in this way on a broken declaration
        words = _unmarked(read_)
        return Page(uninformative_text.without(words), scripts=scripts, words=words)
    text, words = reader.result()
    if rest:
        rows = len(_ROW.findall(rest))
        more = f" with {rows:,} rows" if rows else ""
        text += f"\n[… {len(rest):,} more characters of HTML{more}, which were too many to be read]"
    return Page(
        uninformative_text.without(text), tuple(reader.tables), scripts, uninformative_text.without(words)
    )


def _unmarked(markup: str) -> str:
    """Its words, whatever they mean."""
    return " ".join(re.sub(r"<[^<>]*>?", " ", markup).split())


def _framed(page: str) -> str:
    """The words of a page within, without its title."""
    markup, _ = _parted(media.shortened(page))
    return uninformative_text.without(unescape(_unmarked(_TITLE.sub(" ", markup))))


def _parted(source: str) -> tuple[str, str]:
    """The markup, and the scripts that stand in it. What does not end goes on to the end, as in a browser."""
    kept, scripts, place, left = [], [], 0, MOST_SCRIPT
    while found := _HIDDEN_CODE.search(source, place):
        end = _ENDS[found[1].lower()].search(source, found.end())
        kept.append(source[place : found.start()])
        if found[1].lower() == "script" and left > 0:
            scripts.append(source[found.end() : end.start() if end else len(source)][:left])
            left -= len(scripts[-1])
        place = end.end() if end else len(source)
    return "".join([*kept, source[place:]]), "\n".join(scripts)


@dataclass(slots=True)
class _Open:
    """A table that is being read."""

    table: Table = field(default_factory=Table)
    cells: list[Cell] | None = None
    """Of the row that is being read."""
    attributes: tuple[int, int, bool] | None = None
    """Of the cell that is being read: columns, rows, whether it is a header."""
    text: list[str] = field(default_factory=list)
    head: bool = False
    captioned: bool = False


class _Reader(HTMLParser):
    """Gathers lines, and tables among them."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[Table] = []
        self._lines: list[str | Table] = []
        self._line: list[str] = []
        self._open: list[_Open] = []
        self._deeper = 0
        """Tables within those that are too deep to be told apart."""
        self._hidden, self._hides = 0, ""
        """How many elements of a name are open, from one on that is hidden."""
        self._medium = ""
        """A sound or a film that is yet to say where it is."""
        self._pre = 0
        self._ended = ""

    # --- what the parser finds

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: (value or "").partition(_END)[0] for name, value in attrs}
        if tag == "source" and self._medium:
            self._tell_medium(given)
        if self._hidden and self._still_hidden(tag):
            return
        if tag in ("audio", "video") and "src" not in given:
            self._medium = tag
            self._hide(tag)
        elif said := media.told(tag, given, _framed):
            self._say(f" {said} ")
            self._hide(tag)
        elif tag in _UNSEEN or "hidden" in given or _HIDES.search(given.get("style", "")[:2_000]):
            self._hide(tag)
        elif tag in ("table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption"):
            self._begin(tag, given)
        else:
            if tag in _BLOCKS:
                self._break()
            self._pre += tag == "pre"
            if tag in _SPOKEN:
                self._say(_SPOKEN[tag])

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            self._hidden -= tag == self._hides
            if not self._hidden and self._medium:
                self._tell_medium({})
        elif tag in ("table", "thead", "tr", "td", "th", "caption"):
            self._end(tag)
        else:
            if tag in _BLOCKS:
                self._break()
            self._pre = max(self._pre - (tag == "pre"), 0)

    def handle_data(self, data: str) -> None:
        if not self._hidden and not self._ended:
            before, self._ended, _ = data.partition(_END)
            self._say(before)

    def _tell_medium(self, given: dict[str, str]) -> None:
        medium, self._medium = self._medium, ""
        self._say(f" {media.told(medium, given)} ")

    # --- what is hidden

    def _hide(self, tag: str) -> None:
        if tag not in _VOID:
            self._hidden, self._hides = 1, tag

    def _still_hidden(self, tag: str) -> bool:
        """Whether what begins here is hidden, too: a paragraph has its end where a block begins."""
        if tag == self._hides and tag not in _ENDED_BY_ITSELF:
            self._hidden += 1
        elif tag == self._hides or (self._hides == "p" and tag in _BLOCKS - {"br"}):
            self._hidden = 0
        return bool(self._hidden)

    # --- lines

    def _say(self, text: str) -> None:
        within = self._open[-1] if self._open else None
        if within is None:
            if self._pre and "\n" in text:
                first, *more = text.split("\n")
                self._line.append(first)
                for line in more:
                    self._break()
                    self._line.append(line)
            else:
                self._line.append(text)
        elif within.captioned or within.attributes is not None:
            within.text.append(text)

    def _break(self) -> None:
        if self._open:
            self._say(" ")
            return
        line = "".join(self._line)
        self._line.clear()
        line = line.rstrip() if self._pre else _squeezed(line)
        if line.strip():
            self._lines.append(line)

    def result(self) -> tuple[str, str]:
        """All of it as text, and the same without tables."""
        while self._open:
            self._end("table")
        self._break()
        words = "\n".join(line for line in self._lines if isinstance(line, str))
        counted = bool(re.search(r"\d rows × \d+ columns|shape: \(\d", words))
        said = (line.text(counted=counted) if isinstance(line, Table) else line for line in self._lines)
        return "\n".join(filter(None, said)), words

    # --- tables

    def _begin(self, tag: str, given: dict[str, str]) -> None:
        if tag == "table":
            if len(self._open) >= DEEPEST:
                self._deeper += 1
            else:
                self._break()
                self._open.append(_Open())
        elif self._open and not self._deeper:
            within = self._open[-1]
            self._end_cell(within)
            if tag == "caption":
                within.captioned = True
            elif tag in ("td", "th"):
                within.cells = [] if within.cells is None else within.cells
                within.attributes = (_span(given.get("colspan")), _span(given.get("rowspan")), tag == "th")
            else:
                self._end_row(within)
                within.head = tag == "thead" or (within.head and tag == "tr")
        elif not self._open and tag in ("tr", "caption"):
            self._break()

    def _end(self, tag: str) -> None:
        if self._deeper:
            self._deeper -= tag == "table"
            return
        if not self._open:
            self._break()
            return
        within = self._open[-1]
        self._end_cell(within)
        if tag in ("tr", "thead", "table"):
            self._end_row(within)
        if tag == "thead":
            within.head = False
        if tag == "table":
            self._open.pop()
            if self._open:
                self._say(f" {within.table.flat()} ")
            else:
                self.tables.append(within.table)
                self._lines.append(within.table)

    def _end_cell(self, within: _Open) -> None:
        text = _squeezed("".join(within.text)) if within.text else ""
        within.text.clear()
        if within.captioned:
            within.captioned = False
            within.table.titles += [text] if text else []
        elif within.attributes is not None and within.cells is not None:
            columns, rows, heads = within.attributes
            within.cells.append(Cell(text, columns, rows, heads))
        within.attributes = None

    def _end_row(self, within: _Open) -> None:
        if within.cells is not None:
            within.table.add(within.cells, head=within.head)
        within.cells = None


def _squeezed(text: str) -> str:
    return _SPACE.sub(" ", text).strip()


def _span(value: str | None) -> int:
    return (
        min(max(int(value), 1), 1_000)
        if value and value.isascii() and value.isdigit() and len(value) < 6
        else 1
    )
