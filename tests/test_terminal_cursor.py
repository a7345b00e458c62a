"""Lines that are written over from below, as several progress bars do."""

import pytest

from coderunner.page.html.ansi_html import html
from coderunner.text.cursor_up import settled
from coderunner.text.terminal_text import plain
from tests.behaviours import behaviour

NESTED = "\router 0\n\rinner 0\x1b[A\n\r       \x1b[A\router 1\n\rinner 1\x1b[A\n\r       \x1b[A\router 2\n"
"""What tqdm writes for a bar that stays and one in each round that does not."""


@behaviour("cursor:settled")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\n", "a\nb\n"),
        ("one\ntwo\x1b[1A\rONE\n", "ONE\ntwo"),
        ("a\nb\nc\x1b[2A\rA\n\n\n", "A\nb\nc\n"),
        ("a\x1b[99A\rb", "b"),
        ("\x1b[A", ""),
    ],
)
def test_a_line_is_as_it_was_written_last(text: str, shown: str) -> None:
    assert plain(text) == shown


@behaviour("cursor:settled")
def test_bars_within_bars_leave_no_line_a_round() -> None:
    assert [line.strip() for line in plain(NESTED).split("\n")] == ["outer 2", ""]
    assert html(NESTED).split() == ["outer", "2"]
    assert settled("no\nmoves\r\x1b[31m") == "no\nmoves\r\x1b[31m"
