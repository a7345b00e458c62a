"""A program that looks into tables and prints as JSON what they hold.

`looker.py '["a.csv"]'` names the columns and counts the rows; `looker.py '{"head": "a.parquet"}'` gives the
first rows of a table that only a library reads.

It runs beside the kernel, with its Python and its packages, so that nothing is loaded into the kernel. It
imports nothing of ours. Files are hostile: whatever is in them, it takes some seconds, and what it prints is
bounded. A file that it cannot read gives nothing.
"""

import csv
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any

SECONDS = 3.0
"""For all files; then rows are not counted any more."""
NAMES = 20
"""Columns that are named."""
LONGEST_NAME = 60
"""Characters of a name."""
LONGEST_LINE = 4 * 1024 * 1024
"""Characters of a line: a longer one is no line of a table."""
LARGEST_JSON = 32 * 1024 * 1024
"""Bytes of a JSON file that is read; it takes some ten times as much memory."""
MEMORY = 4 * 1024**3
SAMPLE = 1000
"""Objects of which the keys are looked at."""
ROWS, COLUMNS, CELL = 50, 40, 200
"""Of the first rows, and characters of a cell."""
LARGEST_HEAD = 160 * 1024
"""Characters of the first rows as JSON."""

Look = dict[str, Any]


class TooLong(Exception):
    """A line never ends."""


class Clock:
    """Ends the counting in time."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def over(self) -> bool:
        """It has struck."""
        return time.monotonic() > self._end


def delimited(path: Path, clock: Clock) -> Look:
    """The first line, and how many rows follow it."""
    csv.field_size_limit(LONGEST_LINE)
    with text(path) as file:
        lines = whole_lines(file)
        first = next((line for line in lines if line.strip("\r\n")), "")
        mark = "\t" if path.suffix.lower() == ".tsv" else max(",;\t|", key=first.count)
        rows = csv.reader(again(first, lines), delimiter=mark)
        names = next(rows, [])
        return {**columns(names), **counted((row for row in rows if row), clock)} if names else {}


def objects(path: Path, clock: Clock) -> Look:
    """Lines that are JSON each."""
    with text(path) as file:
        lines = (line for line in whole_lines(file) if line.strip())
        names: dict[str, None] = {}
        sample = []
        for line in lines:
            sample.append(line)
            found = json.loads(line)
            names |= dict.fromkeys(found) if isinstance(found, dict) else {}
            if len(sample) == SAMPLE or clock.over:
                break
        more = counted(lines, clock)
        return {**columns(list(names)), "rows": len(sample) + more["rows"], "exact": more["exact"]}


def document(path: Path, _clock: Clock) -> Look:
    """A list of objects, or an object."""
    if path.stat().st_size > LARGEST_JSON:
        return {}
    whole = json.loads(path.read_bytes())
    if isinstance(whole, dict):
        return {"keys": shortened(list(whole)), "width": len(whole)}
    if not isinstance(whole, list):
        return {}
    names: dict[str, None] = {}
    for each in whole[:SAMPLE]:
        names |= dict.fromkeys(each) if isinstance(each, dict) else {}
    return {**columns(list(names)), "rows": len(whole), "exact": True}


def parquet(path: Path, _clock: Clock) -> Look:
    """What its own footer says."""
    import pyarrow.parquet

    its = pyarrow.parquet.ParquetFile(path)
    return {**columns(its.schema_arrow.names), "rows": its.metadata.num_rows, "exact": True}


def feather(path: Path, clock: Clock) -> Look:
    """What its batches say."""
    import pyarrow.ipc

    with pyarrow.memory_map(str(path)) as mapped:
        its = pyarrow.ipc.open_file(mapped)
        rows = 0
        for number in range(its.num_record_batches):
            if clock.over:
                return {**columns(its.schema.names), "rows": rows, "exact": False}
            rows += its.get_batch(number).num_rows
        return {**columns(its.schema.names), "rows": rows, "exact": True}


def workbook(path: Path, clock: Clock) -> Look:
    """The first of its sheets; the others by their names."""
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        sheet = book.worksheets[0]
        rows = (row for row in sheet.iter_rows(values_only=True) if any(each is not None for each in row))
        first = next(rows, ())
        found = {"sheets": shortened(book.sheetnames), "count": len(book.sheetnames)}
        return {**found, **columns(["" if each is None else each for each in first]), **counted(rows, clock)}
    finally:
        book.close()


READERS: dict[str, Callable[[Path, Clock], Look]] = {
    ".csv": delimited,
    ".tsv": delimited,
    ".jsonl": objects,
    ".ndjson": objects,
    ".json": document,
    ".parquet": parquet,
    ".feather": feather,
    ".arrow": feather,
    ".xlsx": workbook,
    ".xlsm": workbook,
}
"""By the ending of a name. What a reader imports may be missing; then nobody can look."""


def head_of_parquet(path: Path) -> Look:
    """Its first rows, without reading a group of them whole."""
    import pyarrow.parquet

    its = pyarrow.parquet.ParquetFile(path, memory_map=True, pre_buffer=False)
    names = its.schema_arrow.names
    batch = next(its.iter_batches(batch_size=ROWS, columns=names[:COLUMNS]), None)
    rows = [] if batch is None else rows_of(batch)
    return head(names, rows, wide=len(names), more=its.metadata.num_rows > len(rows))


def head_of_feather(path: Path) -> Look:
    """Its first rows: of a file, or of a stream that was kept as one."""
    import pyarrow.ipc

    with pyarrow.memory_map(str(path)) as mapped:
        try:
            its = pyarrow.ipc.open_file(mapped)
            batches = (its.get_batch(number) for number in range(its.num_record_batches))
        except pyarrow.ArrowInvalid:
            mapped.seek(0)
            its = batches = pyarrow.ipc.open_stream(mapped)
        rows: list[list[Any]] = []
        for batch in batches:
            rows += rows_of(batch.slice(0, ROWS + 1 - len(rows)))
            if len(rows) > ROWS:
                break
        return head(its.schema.names, rows[:ROWS], wide=len(its.schema.names), more=len(rows) > ROWS)


def head_of_workbook(path: Path) -> Look:
    """The first rows of the first of its sheets."""
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        sheet = book.worksheets[0]
        rows = (row for row in sheet.iter_rows(values_only=True) if any(each is not None for each in row))
        first = list(islice(rows, ROWS + 2))
        wide = max(map(len, first), default=0)
        cut = [row[:COLUMNS] for row in first]
        sheets = {"sheet": str(sheet.title)[:LONGEST_NAME], "sheets": len(book.sheetnames)}
        return {
            **head(cut[0] if cut else (), cut[1 : ROWS + 1], wide=wide, more=len(cut) > ROWS + 1),
            **sheets,
        }
    finally:
        book.close()


HEADS: dict[str, Callable[[Path], Look]] = {
    ".parquet": head_of_parquet,
    ".feather": head_of_feather,
    ".arrow": head_of_feather,
    ".xlsx": head_of_workbook,
    ".xlsm": head_of_workbook,
}


def rows_of(batch: Any) -> list[list[Any]]:  # noqa: ANN401 - pyarrow has no types
    """The rows of a batch of columns."""
    columns = [batch.column(number).to_pylist() for number in range(min(batch.num_columns, COLUMNS))]
    return [list(row) for row in zip(*columns)]  # noqa: B905 - Python 3.9 knows no `strict`


def head(names: Sequence[Any], rows: Sequence[Sequence[Any]], *, wide: int, more: bool) -> Look:
    """The first rows as text, bounded; `wide`: how many columns there are, `more`: there are more rows."""
    shown: list[list[str]] = []
    size = 0
    for row in rows:
        cells = [cell(each) for each in row[:COLUMNS]]
        size += len(json.dumps(cells))
        if size > LARGEST_HEAD:
            more = True
            break
        shown.append(cells)
    return {"columns": [cell(each) for each in names[:COLUMNS]], "rows": shown, "width": wide, "more": more}


def cell(value: object) -> str:
    """A value as it is read; one character too many says that it was longer."""
    return "" if value is None else str(value)[: CELL + 1]


def columns(names: list[Any]) -> Look:
    """How many columns there are, and what the first ones are called."""
    return {"columns": shortened(names), "width": len(names)} if names else {}


def shortened(names: list[Any]) -> list[str]:
    """The first names, each cut."""
    return [str(each)[:LONGEST_NAME] for each in names[:NAMES]]


def counted(rows: Iterator[Any], clock: Clock) -> Look:
    """How many there are, as far as there is time; a line that never ends is no row."""
    number = 0
    try:
        for _ in rows:
            number += 1
            if number % 500 == 0 and clock.over:
                return {"rows": number, "exact": False}
    except (TooLong, csv.Error):
        return {"rows": number, "exact": False}
    return {"rows": number, "exact": True}


def text(path: Path) -> TextIOWrapper:
    """Open it in its encoding: UTF-8, unless its mark says otherwise."""
    with path.open("rb") as file:
        wide = file.read(2) in (b"\xff\xfe", b"\xfe\xff")
    return path.open(encoding="utf-16" if wide else "utf-8-sig", errors="replace", newline="")


def whole_lines(file: TextIOWrapper) -> Iterator[str]:
    """Its lines; raises TooLong at one that is none."""
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise TooLong
        yield line


def again(first: str, rest: Iterator[str]) -> Iterator[str]:
    """A line, and those behind it."""
    yield first
    yield from rest


def look(path: str, clock: Clock) -> Look:
    """What can be said of a file; nothing where it cannot be read."""
    reader = READERS.get(Path(path).suffix.lower())
    # Packages may raise anything at what is in a file.
    with suppress(Exception):
        if reader is not None and not clock.over and stat.S_ISREG(Path(path).stat().st_mode):
            return reader(Path(path), clock)
    return {}


def first_rows(path: str) -> Look:
    """The first rows of a file; `lacks`: the library that is not there; nothing where it cannot be read."""
    reader = HEADS.get(Path(path).suffix.lower())
    with suppress(Exception):
        if reader is not None and stat.S_ISREG(Path(path).stat().st_mode):
            try:
                return reader(Path(path))
            except ModuleNotFoundError as missing:
                return {"lacks": str(missing.name).partition(".")[0]}
    return {}


def main(asked: "list[str] | dict[str, str]") -> None:
    """Print what can be said of each of some files, or the first rows of one."""
    # What was installed for the chat: this program looks into no other folder for its modules.
    sys.path += filter(None, [os.environ.get("PIP_TARGET")])
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    clock = Clock(SECONDS)
    found = first_rows(asked["head"]) if isinstance(asked, dict) else [look(path, clock) for path in asked]
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
