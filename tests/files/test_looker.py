"""What is seen of a table: by the program itself, and beside a kernel that is asked for it."""

import datetime
import json
import subprocess
import sys
from pathlib import Path

import openpyxl
import pandas
import pyarrow
import pyarrow.ipc
import pytest

from coderunner.errors import NotAnswered
from coderunner.files import looker
from coderunner.files.looker import (
    CELL,
    COLUMNS,
    LARGEST_HEAD,
    LONGEST_LINE,
    NAMES,
    ROWS,
    Clock,
    Look,
    first_rows,
    look,
)
from coderunner.files.looking import look as look_beside
from tests.behaviours import behaviour

BOUND = 30.0


def seen(folder: Path, name: str, content: str | bytes) -> Look:
    """What is said of a file with that content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return look(str(path), Clock(BOUND))


def table(*names: str, rows: int) -> Look:
    return {"columns": list(names), "width": len(names), "rows": rows, "exact": True}


@behaviour("files:look:tables")
@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.csv", "x,y\n1,2\n3,4\n", table("x", "y", rows=2)),
        ("no newline.csv", "x,y\n1,2", table("x", "y", rows=1)),
        ("header alone.csv", "x,y\n", table("x", "y", rows=0)),
        ("quoted.csv", '"a, b",c\n"1\n2",3\n', table("a, b", "c", rows=1)),
        ("semicolons.CSV", "x;y;z\n1,5;2;3\n", table("x", "y", "z", rows=1)),
        ("tabs.tsv", "x\ty,z\n1\t2\n\n3\t4\n", table("x", "y,z", rows=2)),
        ("mark.csv", b"\xef\xbb\xbfx,y\r\n1,2\r\n", table("x", "y", rows=1)),
        ("wide.csv", "x,ü\n1,2\n".encode("utf-16"), table("x", "ü", rows=1)),
        ("latin.csv", "x,ü\n1,2\n".encode("latin-1"), table("x", "\ufffd", rows=1)),
        ("a.json", '[{"x": 1}, {"x": 2, "y": 3}]', table("x", "y", rows=2)),
        ("numbers.json", "[1, 2, 3]", {"rows": 3, "exact": True}),
        ("one.json", '{"x": 1, "y": [2]}', {"keys": ["x", "y"], "width": 2}),
        ("a.jsonl", '{"x": 1}\n\n{"y": 2}\n', table("x", "y", rows=2)),
    ],
)
def test_a_table_has_columns_and_rows(tmp_path: Path, name: str, content: str | bytes, found: Look) -> None:
    assert seen(tmp_path, name, content) == found


@behaviour("files:look:hostile")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", ""),
        ("blank.csv", "\n\n\n"),
        ("no.json", "[1, 2"),
        ("deep.json", "[" * 5000),
        ("number.json", "7"),
        ("no.jsonl", "x\n"),
        ("one line.csv", "x" * (LONGEST_LINE + 1)),
        ("no.parquet", b"PAR1 and no more"),
        ("no.xlsx", b"PK\x03\x04"),
        ("other.bin", b"x"),
    ],
)
def test_of_what_is_no_table_nothing_is_said(tmp_path: Path, name: str, content: str | bytes) -> None:
    assert seen(tmp_path, name, content) == {}


@behaviour("files:look:hostile")
def test_what_is_said_of_a_file_is_bounded(tmp_path: Path) -> None:
    many = seen(tmp_path, "many.csv", ",".join(f"column {'x' * 100} {at}" for at in range(10_000)) + "\n1\n")
    assert (many["width"], len(many["columns"]), many["rows"]) == (10_000, NAMES, 1)
    assert len(json.dumps(many)) < 2000
    late = seen(tmp_path, "late.csv", "x\n1\n" + "2" * (LONGEST_LINE + 5))
    assert late == {"columns": ["x"], "width": 1, "rows": 1, "exact": False}
    assert look(str(tmp_path), Clock(BOUND)) == look(str(tmp_path / "gone.csv"), Clock(BOUND)) == {}


@behaviour("files:look:hostile")
def test_rows_are_counted_as_long_as_there_is_time(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("x\n" + "1\n" * 2000)
    assert looker.delimited(path, Clock(0.0)) == {"columns": ["x"], "width": 1, "rows": 500, "exact": False}


@behaviour("files:look:waits")
async def test_a_kernel_that_starts_is_waited_for_and_one_that_is_none_is_not(tmp_path: Path) -> None:
    answers: list[dict[str, object] | str] = [
        "the kernel is still starting",
        {},
        {},
        {"printed": '[{"rows": 1}]'},
    ]
    asked = []

    async def ask(question: str, told: object, _patience: float) -> dict[str, object]:
        asked.append((question, sorted(told)) if isinstance(told, dict) else told)
        answer = answers.pop(0)
        if isinstance(answer, str):
            raise NotAnswered(answer)
        return answer

    async def seen(*, starting: bool = False, stopped: bool = False, patience: float = BOUND) -> list[object]:
        return await look_beside(
            ask, ["a.csv"], patience=patience, starting=lambda: starting, stopped=lambda: stopped
        )

    assert await seen(starting=True) == [{"rows": 1}]
    begins, later = ("beside", ["argument", "source", "ticket"]), ("beside", ["ticket"])
    assert asked == [begins, begins, later, later]
    for broken in ("no JSON", '{"rows": 1}', ""):
        answers = [{"printed": broken}]
        assert await seen() == []
    answers = ["this is no IPython kernel"]
    assert await seen() == []
    answers = [{}, "the kernel died"]
    assert await seen(starting=True) == []
    assert await seen(patience=0.0) == await seen(stopped=True) == []


def kept(folder: Path, name: str, rows: int) -> str:
    """A table of two columns, as pandas keeps it."""
    path, table = folder / name, pandas.DataFrame({"x": range(rows), "größe": ["ä"] * rows})
    ways = {".parquet": table.to_parquet, ".feather": table.to_feather, ".xlsx": table.to_excel}
    options = {"index": False} if path.suffix == ".xlsx" else {}
    ways[path.suffix](path, **options)
    return str(path)


KINDS = [".parquet", ".feather", ".xlsx"]


@behaviour("files:head:rows")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [0, 2, ROWS, ROWS + 1, 5000])
def test_the_first_rows_of_a_table_are_those_that_a_library_reads(
    tmp_path: Path, kind: str, rows: int
) -> None:
    found = first_rows(kept(tmp_path, f"a{kind}", rows))
    shown = [[str(number), "ä"] for number in range(min(rows, ROWS))]
    assert (found["columns"], found["rows"], found["more"]) == (["x", "größe"], shown, rows > ROWS)
    assert found["width"] == 2


@behaviour("files:head:rows")
@pytest.mark.parametrize("name", ["a.arrow", "a.ARROW"])
@pytest.mark.parametrize("kind", ["file", "stream"])
def test_arrow_is_read_as_a_file_and_as_a_stream_in_batches(tmp_path: Path, name: str, kind: str) -> None:
    batch = pyarrow.record_batch({"x": [1, None], "d": [datetime.date(2026, 1, 2), None]})
    writer = pyarrow.ipc.new_file if kind == "file" else pyarrow.ipc.new_stream
    with writer(str(tmp_path / name), batch.schema) as file:
        file.write(batch)
        file.write(batch)
    found = first_rows(str(tmp_path / name))
    assert found["rows"] == [["1", "2026-01-02"], ["", ""]] * 2


@behaviour("files:head:rows")
def test_of_a_workbook_the_first_sheet_is_read_without_its_empty_rows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Sales"
    book.create_sheet("Other")
    for row in ([], ["region", None, "units"], [], ["North", 1.5, True]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    assert first_rows(str(tmp_path / "a.xlsx")) == {
        "columns": ["region", "", "units"],
        "rows": [["North", "1.5", "True"]],
        "width": 3,
        "more": False,
        "sheet": "Sales",
        "sheets": 2,
    }


@behaviour("files:head:bounded")
def test_the_first_rows_are_bounded_in_columns_cells_and_characters(tmp_path: Path) -> None:
    wide = {f"column {number}": ["ü" * 5000] * 100 for number in range(COLUMNS + 5)}
    pandas.DataFrame(wide).to_parquet(tmp_path / "a.parquet")
    found = first_rows(str(tmp_path / "a.parquet"))
    assert (len(found["columns"]), found["width"], found["more"]) == (COLUMNS, COLUMNS + 5, True)
    assert 0 < len(found["rows"]) < ROWS
    assert {len(cell) for row in found["rows"] for cell in row} == {CELL + 1}
    assert len(json.dumps(found)) < LARGEST_HEAD + 10_000


@behaviour("files:head:bounded")
@pytest.mark.parametrize("name", ["a.parquet", "a.feather", "a.arrow", "a.xlsx", "a.csv", "gone.parquet"])
def test_what_cannot_be_read_has_no_first_rows(tmp_path: Path, name: str) -> None:
    if not name.startswith("gone"):
        (tmp_path / name).write_bytes(b"PAR1, but nothing else")
    assert first_rows(str(tmp_path / name)) == {}


@behaviour("files:head:lacks")
def test_a_library_is_looked_for_among_the_packages_of_the_chat_and_named_where_it_is_not(
    tmp_path: Path,
) -> None:
    kept(tmp_path, "a.parquet", rows=1)

    def printed(**environment: str) -> Look:
        # `-S`: without what is installed.
        command = [sys.executable, "-I", "-S", str(looker.__file__), '{"head": "a.parquet"}']
        found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=BOUND)
        return dict(json.loads(found.stdout))

    assert printed() == {"lacks": "pyarrow"}
    assert printed(PIP_TARGET=str(Path(pyarrow.__file__).parents[1]))["rows"] == [["0", "ä"]]
