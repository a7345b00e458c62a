"""What a person sees of a file without opening it."""

import asyncio
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path

import pytest

from coderunner.files.chat_folder import NoSuchFile
from coderunner.files.local_folder import LocalFolder
from coderunner.page.server.files.previews import (
    COLUMNS,
    EMPTY,
    HEAD,
    LACKS,
    NO_KERNEL,
    NONE,
    ROWS,
    UNREADABLE,
    Preview,
    preview,
)
from tests.behaviours import behaviour
from tests.page.test_block_html import PIXEL

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"><script>alert(1)</script></svg>'


def seen(folder: Path, name: str, content: bytes) -> Preview:
    (folder / name).write_bytes(content)
    told = dict(asyncio.run(preview(LocalFolder(folder), name)))
    assert (told.pop("size"), told.pop("at")) == (len(content), str(folder.resolve() / name))
    assert told.pop("changed") == (folder / name).stat().st_mtime_ns // 1_000_000
    return told


@behaviour("files:preview:text")
@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("größer\n".encode(), "größer\n"),
        ("größer\n".encode("cp1252"), "größer\n"),
        ("größer".encode("utf-16"), "größer"),
        ("\ufeffa".encode(), "a"),
        (b"<script>alert(1)</script>", "<script>alert(1)</script>"),
        (b"a\x1b[31mb\x08", "a␛[31mb␈"),
    ],
)
def test_a_text_is_read_in_its_coding_and_has_nothing_invisible(
    tmp_path: Path, content: bytes, text: str
) -> None:
    assert seen(tmp_path, "a.md", content) == {"kind": "text", "text": text, "cut": False}


@behaviour("files:preview:text")
def test_of_a_long_text_the_beginning_is_seen_also_where_a_character_is_cut(tmp_path: Path) -> None:
    told = seen(tmp_path, "a.log", b"a" + "ö".encode() * HEAD)
    assert told == {"kind": "text", "text": "a" + "ö" * (HEAD // 2 - 1), "cut": True}


@behaviour("files:preview:table")
@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("a.csv", b"x,y\n1,2\n", [["1", "2"]]),
        ("a.csv", b"x;y\n1,5;2\n", [["1,5", "2"]]),
        ("a.tsv", b"x\ty\n1,5\t2\n", [["1,5", "2"]]),
        ("a.csv", b'x,y\n"a\nb","c,d"\n', [["a\nb", "c,d"]]),
        ("a.jsonl", b'{"x": 1, "y": [2, null]}\n\n{"y": "ab"}\n', [["1", "[2, null]"], ["", "ab"]]),
        ("a.NDJSON", b'{"x": {"z": true}, "y": null}', [['{"z": true}', "null"]]),
    ],
)
def test_the_first_rows_of_a_table_are_seen(
    tmp_path: Path, name: str, content: bytes, rows: list[list[str]]
) -> None:
    table = {"kind": "table", "columns": ["x", "y"], "rows": rows, "columns_left": 0, "cut": False}
    assert seen(tmp_path, name, content) == table


@behaviour("files:preview:table")
def test_a_large_table_is_bounded_in_rows_columns_and_cells(tmp_path: Path) -> None:
    row = ",".join(["x" * 300, *map(str, range(COLUMNS + 4))])
    told = seen(tmp_path, "a.csv", "\n".join([row] * 1_000).encode())
    assert (told["columns_left"], told["cut"]) == (5, True)
    rows = told["rows"]
    assert isinstance(rows, list)
    assert (len(rows), len(rows[0]), rows[0][0]) == (ROWS, COLUMNS, f"{'x' * 200}…")


@behaviour("files:preview:table")
@pytest.mark.parametrize("content", [b"only words\n", b"a,b\n" + b'"' + b"x" * 200_000])
def test_what_is_no_table_is_seen_as_text(tmp_path: Path, content: bytes) -> None:
    assert seen(tmp_path, "a.csv", content)["kind"] == ("text" if b"," not in content else "table")


@behaviour("files:preview:table")
@pytest.mark.parametrize("content", [b"1\n2\n", b'{"x": 1}\nno\n', b"{}\n"])
def test_json_lines_that_are_no_objects_are_seen_as_text(tmp_path: Path, content: bytes) -> None:
    assert seen(tmp_path, "a.jsonl", content)["kind"] == "text"


@behaviour("files:preview:table")
def test_of_many_json_lines_the_first_whole_ones_are_seen(tmp_path: Path) -> None:
    told = seen(tmp_path, "a.jsonl", b'{"x": 1}\n' * HEAD)
    assert (told["columns"], told["rows"], told["cut"]) == (["x"], [["1"]] * ROWS, True)
    long = seen(tmp_path, "a.jsonl", b'{"x": 1}\n{"x": "' + b"y" * HEAD + b'"}\n')
    assert (long["rows"], long["cut"]) == ([["1"]], True)


def asked(folder: Path, told: Mapping[str, object] | None, name: str = "a.parquet") -> Preview:
    """What is seen of a table where the kernel says that of it."""
    (folder / name).write_bytes(b"\0not looked at here")

    async def head_of(path: str) -> Mapping[str, object] | None:
        assert path == name
        return told

    found = dict(asyncio.run(preview(LocalFolder(folder), name, head_of)))
    return {key: found[key] for key in found if key not in ("size", "at", "changed")}


@behaviour("files:preview:asked")
def test_of_a_table_that_only_a_library_reads_the_kernel_tells_the_first_rows(tmp_path: Path) -> None:
    told = {"columns": ["x", "\x1b[1m"], "rows": [["1", 2], ["y" * 300, ""]], "width": 45, "more": True}
    table = {
        "kind": "table",
        "columns": ["x", "␛[1m"],
        "rows": [["1", "2"], [f"{'y' * 200}…", ""]],
        "columns_left": 5,
        "cut": True,
    }
    assert asked(tmp_path, told) == table
    assert asked(tmp_path, {**told, "sheet": "Sales", "sheets": 1}, "a.xlsx") == table
    several = asked(tmp_path, {**told, "sheet": "Sales", "sheets": 3}, "a.XLSX")
    assert several == {**table, "note": "Sheet “Sales”, the first of 3."}


@behaviour("files:preview:asked")
@pytest.mark.parametrize(
    ("told", "why"),
    [
        (None, NO_KERNEL),
        ({"lacks": "pyarrow"}, LACKS.format(library="pyarrow")),
        ({"lacks": "<b>anything</b>"}, UNREADABLE),
        ({}, UNREADABLE),
        ({"columns": 1, "rows": [], "width": 1}, UNREADABLE),
        ({"columns": ["x"], "rows": "1", "width": 1}, UNREADABLE),
        ({"columns": ["x"], "rows": [], "width": "1"}, UNREADABLE),
        ({"columns": [], "rows": [], "width": 0}, EMPTY),
    ],
)
def test_where_the_kernel_tells_no_rows_a_sentence_says_why(
    tmp_path: Path, told: Mapping[str, object] | None, why: str
) -> None:
    assert asked(tmp_path, told) == {"kind": "none", "why": why}


@behaviour("files:preview:asked")
def test_what_a_kernel_tells_is_bounded_once_more(tmp_path: Path) -> None:
    told = asked(tmp_path, {"columns": ["x"] * 500, "rows": [["1"] * 500, 7] * 500, "width": 500})
    rows = told["rows"]
    assert isinstance(rows, list)
    assert (len(rows), len(rows[0]), told["columns_left"], told["cut"]) == (ROWS // 2, COLUMNS, 460, True)


@behaviour("files:preview:image")
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a", "a.csv"])
def test_an_image_is_seen_as_what_its_bytes_are(tmp_path: Path, name: str) -> None:
    told = seen(tmp_path, name, b64decode(PIXEL))
    assert told == {"kind": "image", "source": f"data:image/png;base64,{PIXEL}"}


@behaviour("files:preview:image")
def test_a_drawing_is_seen_as_an_image_in_which_no_program_runs(tmp_path: Path) -> None:
    told = seen(tmp_path, "a.svg", SVG)
    assert str(told["source"]).startswith("data:image/svg+xml;base64,")


@behaviour("files:preview:image")
@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.png", b64decode(PIXEL)[:-12], "The image cannot be shown: it is cut off."),
        ("a.png", b"\0not an image", NONE),
        ("a.bin", b"\0\1\2", NONE),
        ("a.txt", b"\x01\x02\xff\xfe\x03", NONE),
        ("a.txt", b"", "The file is empty."),
    ],
)
def test_what_cannot_be_seen_is_told_in_a_sentence(
    tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    assert seen(tmp_path, name, content) == {"kind": "none", "why": why}


@behaviour("files:preview:text")
def test_a_file_that_is_not_there_has_no_preview(tmp_path: Path) -> None:
    with pytest.raises(NoSuchFile):
        asyncio.run(preview(LocalFolder(tmp_path), "a.csv"))
