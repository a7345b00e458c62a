"""Rows of a table, as a kernel answers the question `table`. Pure; every value is checked."""

from collections.abc import Mapping
from dataclasses import dataclass

from coderunner.kernel.variables.variable_list import line

ROWS, COLUMNS, CELL = 200, 100, 200
"""Of one page, and characters of a cell."""


@dataclass(frozen=True, slots=True)
class TablePage:
    """Some rows and columns of a table."""

    columns: tuple[tuple[str, str], ...]
    """Names and types."""
    labels: tuple[str, ...]
    """Names of the rows."""
    rows: tuple[tuple[str, ...], ...]
    """Each as long as there are columns."""
    total: int
    """Rows of the whole table."""
    width: int
    """Its columns."""


def page_of(answer: Mapping[str, object]) -> TablePage:
    """Read an answer; what is no text is an empty one."""
    columns = tuple(_pair(each) for each in _list(answer.get("columns"), COLUMNS))
    labels = [line(each, CELL) for each in _list(answer.get("labels"), ROWS)]
    read = [
        tuple(line(each, CELL) for each in _list(row, COLUMNS)) for row in _list(answer.get("rows"), ROWS)
    ]
    rows = tuple((*row, *[""] * len(columns))[: len(columns)] for row in read)
    named = tuple((*labels, *[""] * len(rows))[: len(rows)])
    return TablePage(columns, named, rows, _count(answer.get("total")), _count(answer.get("width")))


def _list(value: object, most: int) -> list[object]:
    return value[:most] if isinstance(value, list) else []


def _pair(value: object) -> tuple[str, str]:
    name, kind, *_ = (*_list(value, 2), "", "")
    return line(name, CELL), line(kind, CELL)


def _count(value: object) -> int:
    return value if type(value) is int and 0 <= value < 1 << 63 else 0
