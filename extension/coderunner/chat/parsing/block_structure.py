"""Where a fence opens: the block structure of a reply, line by line.

markdown-it is the authority, and reads whole documents only; this says of each line, when it ends, what
markdown-it would say of it, and reads it once. `line_starts` says what a line may begin, `link_definitions`
what a link definition is. Only what decides whether a later line opens a fence is kept.
"""

from dataclasses import dataclass
from enum import Enum, auto

from coderunner.chat.parsing.line_starts import (
    BLANK_ENDS,
    FENCE,
    HEADING,
    RULE,
    SPECIAL,
    UNDERLINE,
    html,
    html_ends,
    indentation,
    interrupts,
    item,
    skip,
)
from coderunner.chat.parsing.link_definitions import Definition, Verdict

# Two levels a list, one a block quote, as markdown-it counts. It reads nothing below a hundred; we go on
# afresh there, so what lies deeper is never a fence.
_MAX_NESTING = 100

# A line that was taken for a part of a link definition is read again when it is none. Definitions in those
# lines can lead to one more reading each; hostile ones get no further than this.
_MOST_READINGS = 4


@dataclass(frozen=True, slots=True)
class Opening:
    """Where a fence stands. Columns count a tab up to the next multiple of four."""

    indent: int
    """The content column of the list item that holds the fence, 0 outside of lists."""
    column: int
    """The column of the fence itself: the most white space that its lines may lose."""


@dataclass(slots=True)
class _Container:
    """A list item or a block quote."""

    outer: int
    """The content column of what holds it."""
    indent: int
    """Its own, 0 in a block quote: columns are counted from its marker there."""
    list_indent: int
    """The content column of what holds the innermost list, -1 outside of lists."""
    level: int
    quote: bool = False


@dataclass(slots=True)
class _View:
    """A line, as what is inside of the containers whose markers stand in it sees it."""

    text: str
    position: int
    """Of its first character that is no white space; the end of the text if there is none."""
    column: int
    first: str
    """The character there, empty at the end."""
    before: int = 0
    """Columns that lie before the ones which are counted, for the width of tabs (markdown-it's bsCount)."""

    @property
    def rest(self) -> str:
        return self.text[self.position :]

    def marked(self, quote: _Container) -> bool:
        """Whether it goes on in the block quote, by its marker; it is not empty."""
        return self.first == ">" and self.column >= quote.outer

    def inside(self) -> "_View":
        """What stands behind the marker of a block quote, and behind one blank that belongs to it."""
        start = end = self.column + 1
        position, before = self.position + 1, self.column + 1
        wide = 0
        if self.text.startswith(" ", position):
            position, start, end, before = position + 1, start + 1, end + 1, before + 1
        elif self.text.startswith("\t", position):
            before += 1
            if (self.before + end) % 4 == 3:
                position, start, end = position + 1, start + 1, end + 1
            else:
                wide = 1  # The blank is the first column of the tab.
        after = skip(self.text, position)
        if "\t" in self.text[position:after]:
            for character in self.text[position:after]:
                end += 4 - (end + self.before + wide) % 4 if character == "\t" else 1
        else:
            end += after - position
        return _View(self.text, after, end - start, self.text[after : after + 1], before)


@dataclass(frozen=True, slots=True)
class _Html:
    kind: int


@dataclass(frozen=True, slots=True)
class _Quoted:
    """A fence in a block quote."""

    marker: str
    length: int

    def ends(self, text: str) -> bool:
        """Whether a line that is indented by less than four ends it."""
        after = text.lstrip(self.marker)
        return len(text) - len(after) >= self.length and not after.strip(" \t")


class _Leaf(Enum):
    NOTHING = auto()
    """The next line begins a block of its own."""
    PARAGRAPH = auto()


class _Line(Enum):
    """What a line is to the paragraph before it."""

    MORE = auto()
    UNDERLINE = auto()
    OUTSIDE = auto()


class Blocks:
    """The block structure of a reply, outside of the fences that it told of."""

    __slots__ = ("_definition", "_hollow", "_leaf", "_pieces", "_quotes", "_readings", "_stack", "_undecided")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._stack: list[_Container] = []
        self._quotes: list[int] = []
        """Where in the stack the block quotes are."""
        self._leaf: _Leaf | _Html | _Quoted = _Leaf.NOTHING
        self._hollow = False
        """The last line began a list item and nothing in it."""
        self._definition: Definition | None = None
        self._undecided: list[str] = []
        """The lines of the paragraph which may be a definition."""
        self._readings = 0

    def append(self, text: str) -> None:
        """Add a piece of a line that opens no fence outside block quotes."""
        if not text.endswith(("\n", "\r")):
            self._pieces.append(text)
        elif self._pieces:
            self._read_line(text)
        else:
            self._read(text.rstrip("\r\n").replace("\0", "\ufffd"))

    def ask(self, line: str) -> Opening | None:
        """Where *line* opens a fence outside block quotes; None if it opens none.

        It is a whole line and becomes part of the text, which goes on after the fence if there is one.
        """
        return self._read_line(line)

    def _read_line(self, rest: str) -> Opening | None:
        line = "".join([*self._pieces, rest])
        self._pieces.clear()
        return self._read(line.rstrip("\r\n").replace("\0", "\ufffd"))

    def _read(self, line: str) -> Opening | None:
        if not line and self._leaf is _Leaf.NOTHING and not self._quotes and not self._hollow:
            return None
        position, column = indentation(line)
        first = line[position : position + 1]
        if first and self._leaf is _Leaf.PARAGRAPH and self._definition is None and first not in SPECIAL:
            return None
        view = _View(line, position, column, first)
        inner = self._within(view) if first and self._leaf is _Leaf.PARAGRAPH else None
        if self._definition is not None:
            if inner is not None and self._defines(inner):
                self._undecided.append(line)
                return self._settle(self._definition, self._definition.receive(inner.rest))
            alone = len(self._undecided) == 1
            self._settle(self._definition, self._definition.close())
            if first and not alone:
                inner = self._within(view)  # Lines that were read again may have changed the containers.
        if first and self._leaf is _Leaf.PARAGRAPH:
            is_to_it = self._to_paragraph(inner)
            if is_to_it is _Line.MORE:
                return None
            self._leaf = _Leaf.NOTHING
            if is_to_it is _Line.UNDERLINE:
                return None
        return self._place(view)

    # --- what goes on -----------------------------------------------------------------------------

    def _within(self, view: _View) -> _View | None:
        """The line as the paragraph sees it, its column -1 where a block quote goes on without its marker.

        None where it lies outside of a block quote of the paragraph.
        """
        for number, at in enumerate(self._quotes):
            quote = self._stack[at]
            if view.marked(quote):
                view = view.inside()
                if not view.first:
                    return None
                continue
            # Whoever holds the inner quotes has given the line the column -1 when they look at it.
            inner = self._quotes[number + 1 : number + 2]
            looks = [(view.column, quote), *((-1, self._stack[each]) for each in inner)]
            if any(self._ends_quote(view, column, each) for column, each in looks):
                return None
            return _View(view.text, view.position, -1, view.first)
        return view

    @staticmethod
    def _ends_quote(view: _View, column: int, quote: _Container) -> bool:
        return interrupts(view.text, view.position, column, quote.outer, quote.list_indent, paragraph=False)

    def _to_paragraph(self, inner: _View | None) -> _Line:
        """What a line that is not blank, as the open paragraph sees it, is to that."""
        if inner is None:
            return _Line.OUTSIDE
        indent, list_indent = self._indents
        if inner.column < 0 or inner.column - indent >= 4:
            return _Line.MORE
        if inner.column >= indent and UNDERLINE.match(inner.text, inner.position):
            return _Line.UNDERLINE
        ends = interrupts(inner.text, inner.position, inner.column, indent, list_indent, paragraph=True)
        return _Line.OUTSIDE if ends else _Line.MORE

    def _defines(self, inner: _View) -> bool:
        """Whether a line, as what may be a definition sees it, may belong to that."""
        if inner.column < 0:
            return True
        indent, list_indent = self._indents
        return not interrupts(inner.text, inner.position, inner.column, indent, list_indent, paragraph=False)

    def _settle(self, definition: Definition, verdict: Verdict) -> Opening | None:
        """Take the verdict on a definition, and read again what is none. Gives what the last line opens."""
        if verdict is Verdict.OPEN:
            return None
        settled = definition.settled if verdict is Verdict.SETTLED else 1
        again = [] if verdict is Verdict.DEFINITION else self._undecided[settled:]
        self._definition, self._undecided = None, []
        self._leaf = _Leaf.PARAGRAPH if verdict is Verdict.PARAGRAPH else _Leaf.NOTHING
        opens = None
        self._readings += 1
        for line in again:
            opens = self._read(line)
        self._readings -= 1
        return opens

    # --- what begins ------------------------------------------------------------------------------

    def _place(self, view: _View) -> Opening | None:
        """Read a line that belongs to no paragraph before it."""
        hollow, self._hollow = self._hollow, False
        for at in self._quotes:
            quote = self._stack[at]
            if not view.marked(quote):
                self._cut(at)
                self._leaf = _Leaf.NOTHING
                return self._begin(view) if view.first else None
            view = view.inside()
        if not view.first:
            self._blank(hollow=hollow)
            return None
        if isinstance(self._leaf, _Html | _Quoted) and view.column >= self._indents[0]:
            if self._ends_leaf(self._leaf, view):
                self._leaf = _Leaf.NOTHING
            return None
        return self._begin(view)

    def _blank(self, *, hollow: bool) -> None:
        if hollow:
            # CommonMark 5.2: an item can begin with one blank line, not with two.
            self._cut(len(self._stack) - 1)
        if self._leaf is _Leaf.PARAGRAPH or (isinstance(self._leaf, _Html) and self._leaf.kind >= BLANK_ENDS):
            self._leaf = _Leaf.NOTHING

    def _ends_leaf(self, leaf: _Html | _Quoted, view: _View) -> bool:
        if isinstance(leaf, _Html):
            return html_ends(leaf.kind, view.rest)
        return view.column - self._indents[0] < 4 and leaf.ends(view.rest)

    def _begin(self, view: _View) -> Opening | None:
        """Read what begins new blocks, containers first."""
        self._leaf = _Leaf.NOTHING
        while self._stack and not self._stack[-1].quote and view.column < self._stack[-1].indent:
            self._cut(len(self._stack) - 1)
        while view.first:
            if self._stack and self._stack[-1].level >= _MAX_NESTING:
                self._cut(0)
                return None
            indent = self._indents[0]
            if view.column - indent >= 4:
                return None
            first = view.first
            if first == ">":
                view = self._quote(view, indent)
            elif (
                first in SPECIAL
                and not (first in "-*_" and RULE.match(view.text, view.position))
                and (marker := item(view.text, view.position, interrupts=False))
            ):
                view = self._item(view, indent, marker.end())
            else:
                return self._leaf_of(view, first)
        return None

    def _quote(self, view: _View, indent: int) -> _View:
        inner = view.inside()
        level = self._stack[-1].level if self._stack else 0
        self._quotes.append(len(self._stack))
        self._stack.append(_Container(indent, 0, self._indents[1], level + 1, quote=True))
        return inner

    def _item(self, view: _View, outer: int, after: int) -> _View:
        """Begin a list item whose marker ends there, and give what stands in it."""
        first = column = view.column + after - view.position
        position = skip(view.text, after)
        if "\t" in view.text[after:position]:
            for character in view.text[after:position]:
                column += 4 - (column + view.before) % 4 if character == "\t" else 1
        else:
            column += position - after
        self._hollow = position == len(view.text)
        # What is indented further than that is code in the item.
        width = 1 if self._hollow or column - first > 4 else column - first
        level = self._stack[-1].level if self._stack else 0
        self._stack.append(_Container(outer, first + width, outer, level + 2))
        return _View(view.text, position, column, view.text[position : position + 1], view.before)

    def _leaf_of(self, view: _View, first: str) -> Opening | None:
        """Read what begins no container."""
        text, position = view.text, view.position
        if first in "`~" and (fence := FENCE.match(text, position)):
            if not self._quotes:
                return Opening(self._indents[0], view.column)
            self._leaf = _Quoted(first, len(fence[0]))
        elif first in "-*_" and RULE.match(text, position):
            pass
        elif first == "<" and (kind := html(text, position)) is not None:
            self._leaf = _Leaf.NOTHING if html_ends(kind, view.rest) else _Html(kind)
        elif first == "#" and HEADING.match(text, position):
            pass
        else:
            self._leaf = _Leaf.PARAGRAPH
            if first == "[" and self._readings < _MOST_READINGS:
                self._definition, self._undecided = Definition(), [text]
                return self._settle(self._definition, self._definition.receive(view.rest))
        return None

    # --- containers -------------------------------------------------------------------------------

    @property
    def _indents(self) -> tuple[int, int]:
        """The content column, and that of what holds the innermost list."""
        return (self._stack[-1].indent, self._stack[-1].list_indent) if self._stack else (0, -1)

    def _cut(self, at: int) -> None:
        """Close the container at that place, and all within it."""
        del self._stack[at:]
        while self._quotes and self._quotes[-1] >= at:
            self._quotes.pop()
