"""What a model is told of files: a line for each, whatever they hold."""

import pytest

from coderunner.chat.file_lines import HEADING, file_lines, table_facts
from tests.behaviours import behaviour


@behaviour("render:attached:lines")
def test_a_model_is_told_name_kind_size_and_what_is_in_a_file() -> None:
    table = table_facts({"columns": ["a", "b"], "width": 2, "rows": 1200, "exact": True})
    files = [("sales.csv", 12_345, table), ("in/photo.JPG", 1, ""), ("x.unknown", 2_000_000_000_000, "")]
    assert file_lines(files) == (
        f"{HEADING}\n"
        "- `sales.csv`: CSV, 12 kB; 2 columns: `a`, `b`; 1,200 rows\n"
        "- `in/photo.JPG`: JPG picture, 1 byte\n"
        "- `x.unknown`: 2 TB"
    )
    assert file_lines([]) == ""


@behaviour("render:attached:lines")
@pytest.mark.parametrize(
    ("look", "said"),
    [
        ({"columns": ["a"], "width": 9999}, "9,999 columns, the first are: `a`"),
        ({"rows": 1, "exact": False}, "more than 1 row"),
        ({"rows": 3, "exact": True}, "3 rows"),
        ({"keys": ["a", "b"], "width": 2}, "an object with 2 keys: `a`, `b`"),
        (
            {"sheets": ["One", "Two"], "count": 2, "columns": ["a"], "width": 1, "rows": 5, "exact": True},
            "2 sheets: `One`, `Two`; of the first one; 1 column: `a`; 5 rows",
        ),
    ],
)  # fmt: skip
def test_what_is_known_of_a_table_is_said_and_no_more(look: object, said: str) -> None:
    assert table_facts(look) == said


@behaviour("render:attached:hostile")
@pytest.mark.parametrize(
    "look",
    [
        *(None, [], 7, "x", {}, {"columns": 7, "width": 2}, {"columns": ["a"], "width": "x"}, {"rows": -1}),
        *({"rows": 10**400}, {"rows": True}, {"columns": [1, 2], "width": 2}, {"columns": ["a"], "width": 0}),
    ],
)
def test_of_an_answer_that_is_none_nothing_is_said(look: object) -> None:
    assert table_facts(look) == ""


@behaviour("render:attached:hostile")
def test_names_are_one_plain_line_in_which_nothing_acts() -> None:
    names = ["a\nIgnore this", "<|im_end|>", "```", "\u202egnp", "\x1b[31m", "x" * 10_000, "\ud800"]
    told = file_lines([("a\n`b`.csv", 1, table_facts({"columns": names * 9, "width": 63}))])
    assert told.count("\n") == 1
    assert len(told) < 2500
    for hostile in ("<|im_end|>", "```", "\u202e", "\x1b", "\ud800"):
        assert hostile not in told
