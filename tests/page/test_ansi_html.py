"""A terminal's text as HTML."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.page.html import ansi_html
from tests.behaviours import behaviour

PIECES = st.sampled_from(
    [
        "a",
        "<",
        "&",
        '"',
        "\n",
        "\r",
        "\b",
        "\x1b[31m",
        "\x1b[0m",
        "\x1b[38;5;999m",
        "\x1b]8;;http://x\x07",
        "\x00",
        "\u202e",
    ]
)


class Elements(HTMLParser):
    """Notes each element with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[str, frozenset[str]]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add((tag, frozenset(name for name, _ in attrs)))


@behaviour("page:terminal:colours")
@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m.", '<span class="cr-ink-red">red</span>.'),
        ("\x1b[1;92mb", '<span class="cr-ink-green cr-bold">b</span>'),
        ("\x1b[44mp\x1b[49mq", '<span class="cr-paper-blue">p</span>q'),
        (
            "\x1b[38;2;120;120;120mg",
            '<span style="color:light-dark(rgb(108,108,108),rgb(134,134,134));">g</span>',
        ),
        ("\x1b[38;5;208;48;5;17mo", '<span style="color:rgb(255,135,0);background:rgb(0,0,95);">o</span>'),
        ("\x1b[38;5;1mn", '<span class="cr-ink-red">n</span>'),
        ("\x1b[38;5mn\x1b[48mx", "nx"),
    ],
)
def test_ansi_colours_become_spans(text: str, html: str) -> None:
    assert ansi_html.html(text) == html


@behaviour("page:terminal:moves")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("10%\r50%\r100%\n", "100%\n"),
        ("abc\rX", "Xbc"),
        ("ab\b\bX", "Xb"),
        ("line\r\nnext", "line\nnext"),
        ("a\x1b[2Kb\x1b]0;title\x07c", "abc"),
        ("\x1b[31m10%\r\x1b[32m100%\x1b[0m!", '<span class="cr-ink-green">100%</span>!'),
    ],
)
def test_carriage_returns_and_backspaces_are_carried_out(text: str, shown: str) -> None:
    assert ansi_html.html(text) == shown


@behaviour("page:terminal:nothing-hidden")
def test_what_cannot_be_seen_is_shown_by_its_number() -> None:
    shown = ansi_html.html("a\x00b\u202ec\u200bd")
    assert shown == (
        'a<span class="cr-control">␀</span>b<span class="cr-control">U+202E</span>c'
        '<span class="cr-control">U+200B</span>d'
    )


@behaviour("page:view:escaped")
@given(st.lists(PIECES, max_size=30).map("".join))
def test_a_terminal_writes_spans_and_nothing_else(text: str) -> None:
    elements = Elements()
    elements.feed(ansi_html.html(text))
    assert all(tag == "span" and names <= {"class", "style"} for tag, names in elements.seen)
