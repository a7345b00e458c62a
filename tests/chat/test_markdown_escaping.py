"""Markdown of which a notebook shows every word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.text.html_tag_escaping import literal
from tests.behaviours import behaviour


@behaviour("literal:tags")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("List<int> and <your name here>", "List\\<int> and \\<your name here>"),
        ("<port>\nis set", "\\<port>\nis set"),
        ("</T> <script>x</script>", "\\</T> \\<script>x\\</script>"),
        ("<?php echo 1 ?>", "\\<?php echo 1 ?>"),
        ("| a |\n|---|\n| <x> |", "| a |\n|---|\n| \\<x> |"),
        ("- in\n  <lists>\n> and <quotes>", "- in\n  \\<lists>\n> and \\<quotes>"),
    ],
)
def test_a_tag_that_would_vanish_gets_a_backslash(text: str, shown: str) -> None:
    assert literal(text) == shown


@behaviour("literal:kept")
@pytest.mark.parametrize(
    "text",
    [
        "`List<int>` and ``a ` <b2>``",
        "```cpp\nList<int> x;\n```\n",
        "    List<int> x;\n",
        "<https://x.y/z> <mailto:a@b> [a](<b c>)",
        "a < b > c, 1<2, x <- y",
        "a\\<b2>",
        "<b>bold</b><br><img src='x'>",
        "<!-- a comment -->",
        "",
    ],
)
def test_code_addresses_and_what_is_shown_stay_as_they_are(text: str) -> None:
    assert literal(text) == text


@behaviour("literal:kept")
@given(st.text("<>`\\n ab|->*/\\\\", max_size=60))
def test_nothing_but_backslashes_is_added(text: str) -> None:
    assert literal(text).replace("\\", "") == text.replace("\\", "")
