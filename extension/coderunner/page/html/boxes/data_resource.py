"""A table as Frictionless Data describes one (`application/vnd.dataresource+json`), as HTML. Pure.

pandas writes it where `display.html.table_schema` is on; what has no HTML beside it shows it this way.
"""

import json
from collections.abc import Mapping, Sequence
from html import escape

KIND = "application/vnd.dataresource+json"

ROWS = 1000
"""The most rows that are shown; more is for *Variables* or a file."""
COLUMNS = 100
"""The most columns."""


def table(resource: object) -> str | None:
    """HTML of the table, or of its beginning; None if it is none."""
    match resource:
        case {"schema": {"fields": [*fields]} as schema, "data": [*rows]}:
            names = [_name(field) for field in fields]
        case _:
            return None
    cells = [_cells(row, names) for row in rows[:ROWS]]
    if not names or "" in names or None in cells:
        return None
    keys = schema.get("primaryKey", ())
    index = frozenset([keys] if isinstance(keys, str) else map(str, keys) if isinstance(keys, list) else ())
    marks = ["th" if name in index else "td" for name in names[:COLUMNS]]
    head = _row(names, ["th"] * len(marks))
    body = "".join(_row(row, marks) for row in cells if row is not None)
    html = f'<table border="1" class="dataframe"><thead>{head}</thead><tbody>{body}</tbody></table>'
    return html + _left_out(len(rows), len(names))


def _name(field: object) -> str:
    return str(field.get("name") or "") if isinstance(field, Mapping) else ""


def _cells(row: object, names: Sequence[str]) -> list[str] | None:
    if isinstance(row, Mapping):
        return [_text(row.get(name)) for name in names]
    return [_text(value) for value in row] if isinstance(row, list) and len(row) == len(names) else None


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _row(texts: Sequence[str], marks: Sequence[str]) -> str:
    cells = (f"<{mark}>{escape(text)}</{mark}>" for mark, text in zip(marks, texts, strict=False))
    return f"<tr>{''.join(cells)}</tr>"


def _left_out(rows: int, columns: int) -> str:
    left = [
        f"{most:,} of {count:,} {what}"
        for most, count, what in ((ROWS, rows, "rows"), (COLUMNS, columns, "columns"))
        if count > most
    ]
    return f"<p>These are {' and '.join(left)}.</p>" if left else ""
