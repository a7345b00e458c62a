"""A table as Markdown: its head and its tail, and how much there is of it."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

HEAD, TAIL = 12, 6
"""Rows that are shown of a long table."""
LEFT, RIGHT = 9, 3
"""Columns that are shown of a wide one."""
WIDEST = 80
"""Characters of a cell."""
MOST_COLUMNS = 500
"""Columns that are told apart; a span may claim more."""
TALLEST = 1_000
"""Rows that one cell spans at most."""
HEADERS = 6
"""Rows of a header that are read."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell, and how many columns and rows it spans."""

    text: str
    columns: int = 1
    rows: int = 1
    heads: bool = False


@dataclass(slots=True)
class Table:
    """Rows as they come; of many only the first and the last are kept."""

    titles: list[str] = field(default_factory=list)
    headers: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    spans: bool = False
    """Some cell spans more than one column or row."""
    count: int = 0
    """Rows that are no header."""
    _all: int = 0
    """Rows in the body: those that count, and the names of groups of them."""
    _first: list[list[str]] = field(default_factory=list)
    _last: "deque[list[str]]" = field(default_factory=lambda: deque(maxlen=HEAD + TAIL))
    _hanging: dict[int, tuple[int, str]] = field(default_factory=dict)
    """What cells of earlier rows still span, by column: rows to go, and the text."""

    def add(self, cells: Sequence[Cell], *, head: bool) -> None:
        """Take a row; `head`: it stands in the table's head."""
        self.spans = self.spans or any(cell.columns > 1 or cell.rows > 1 for cell in cells)
        row = self._placed(cells)
        alone = len(cells) == 1 and cells[0].columns > 1
        if self.notes and any(row) and not alone:
            # Rows come below it: it was the name of their group.
            named, self.notes = self.notes, []
            for name in named:
                self._keep([name])
        if not any(row):
            # Blank rows are for the eye; the first has the number of columns.
            return
        if alone:
            # One cell over all columns: a title above them, or a note below.
            (self.notes if self.count or self.headers else self.titles).append(cells[0].text)
        elif (head or (cells and all(cell.heads for cell in cells))) and not self.count:
            self.headers += [row] if len(self.headers) < HEADERS else []
        else:
            self.count += 1
            self._keep(row)

    def _keep(self, row: list[str]) -> None:
        self._all += 1
        if len(self._first) < HEAD:
            self._first.append(row)
        else:
            self._last.append(row)

    def _placed(self, cells: Sequence[Cell]) -> list[str]:
        """The row with a text in each column: what spans several is repeated."""
        row: list[str] = []
        hanging, self._hanging = self._hanging, {}
        waiting = iter(cells)
        while len(row) < MOST_COLUMNS:
            place = len(row)
            if place in hanging:
                left, text = hanging[place]
                if left > 1:
                    self._hanging[place] = (left - 1, text)
                row.append(text)
                continue
            cell = next(waiting, None)
            if cell is None:
                break
            for at in range(place, min(place + cell.columns, MOST_COLUMNS)):
                row.append(cell.text)
                if cell.rows > 1:
                    self._hanging[at] = (min(cell.rows, TALLEST) - 1, cell.text)
        return row

    @property
    def header(self) -> list[str]:
        """The header as one row: what stands above each column, from the top."""
        width = max(map(len, self.headers), default=0)
        columns = ([row[at] for row in self.headers if at < len(row)] for at in range(width))
        return [" / ".join(dict.fromkeys(filter(None, column))) for column in columns]

    @property
    def rows(self) -> tuple[list[list[str]], list[list[str]]]:
        """The first rows and the last ones; all of them are the first where there are few."""
        if self._all <= HEAD + TAIL:
            return [*self._first, *self._last], []
        return self._first, list(self._last)[-TAIL:]

    @property
    def width(self) -> int:
        """How many columns it has."""
        first, last = self.rows
        return max(map(len, [self.header, *first, *last]), default=0)

    def text(self, *, counted: bool = False) -> str:
        """The table in Markdown; rows with bars between where it has no header. `counted`: others say it."""
        first, last = self.rows
        left_out = self._all - len(first) - len(last)
        gap = [[f"… {left_out:,} rows left out …"]] if left_out else []
        body = [*first, *gap, *last]
        if self.headers:
            # Where there are no rows, the head says it all.
            shown = [_line(self.header), f"|{'---|' * min(self.width, LEFT + RIGHT + 1)}", *map(_line, body)]
        else:
            shown = [" | ".join(_cells(row)) for row in body]
        large = self.count > HEAD + TAIL or self.width > LEFT + RIGHT
        # What names the rows has nothing above it.
        names = next((at for at, above in enumerate(self.header) if above), 0)
        size = [f"[{self.count:,} rows × {self.width - names:,} columns]"] if large and not counted else []
        return "\n".join([*self.titles[:HEADERS], *shown, *self.notes[:HEADERS], *size])

    def flat(self) -> str:
        """The table on one line, for a cell of another one."""
        first, last = self.rows
        rows = [*([self.header] if self.headers else []), *first, *last]
        return "; ".join(", ".join(filter(None, row[: LEFT + RIGHT])) for row in rows)


def _line(row: Sequence[str]) -> str:
    return f"| {' | '.join(_cells(row))} |"


def _cells(row: Sequence[str]) -> Iterable[str]:
    few = row if len(row) <= LEFT + RIGHT else [*row[:LEFT], "…", *row[-RIGHT:]]
    return [_short(text) for text in few]


def _short(text: str) -> str:
    text = text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"
    return text.replace("|", "\\|")
