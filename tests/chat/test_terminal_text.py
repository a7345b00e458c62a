"""Terminal text made plain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.chat.results.result_text import plain
from tests.behaviours import behaviour


@behaviour("terminal:ansi:removed")
@pytest.mark.parametrize(
    "text",
    [
        "\x1b[1;31mred\x1b[0m",
        "\x1b]8;;https://x\x1b\\red\x1b]8;;\x07",
        "\x1b(Bred",
        "\x1bPq\x1b\\red",
        "\x9b31mred",
        "\x1b[Kred",
    ],
)
def test_ansi_sequences_leave_their_text(text: str) -> None:
    assert plain(text) == "red"


@behaviour("terminal:lines:folded")
@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("10%\r20%\r100%\n", "100%\n"),
        ("long text\rshort", "shorttext"),
        ("long text\r\x1b[Kshort", "short"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("done\r", "done"),
        ("abc\b\bX", "aXc"),
        ("\b\bX", "X"),
        ("a\nb\rc\n", "a\nc\n"),
        ("\x1b[31mabc\x1b[0m\rx", "xbc"),
        ("abc\x1b[2K\rde", "de"),
    ],
)
def test_a_line_is_what_a_terminal_would_show_at_its_end(text: str, seen: str) -> None:
    assert plain(text) == seen


@behaviour("terminal:invisible:shown")
@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\x00\x07\x1b\x7f", "a␀␇␛␡"),
        ("\u202eabc\u200b\ufeff\u2028", "\\u202eabc\\u200b\\ufeff\\u2028"),
        ("\U000e0041\x85\xad", "\\U000e0041\\x85\\xad"),
        ("\ud800", "\\ud800"),
        ("❤️ naïve\t日本\n", "❤️ naïve\t日本\n"),
    ],
)
def test_what_a_reader_would_not_see_is_written_out(text: str, seen: str) -> None:
    assert plain(text) == seen


@behaviour("terminal:plain:stable")
@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("\x1b[]0mK\r\b\n\\\x07"))))
def test_plain_text_is_plain(text: str) -> None:
    once = plain(text)
    assert plain(once) == once
    once.encode()
