"""Fences: what the corpus says, and what holds for every reply."""

import sys
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coderunner.chat.parsing.fence_parser import (
    Code,
    FenceAbandoned,
    FenceClosed,
    FenceOpened,
    FenceParser,
    Text,
    unfenced,
)
from coderunner.chat.turn_state_machine import Turn
from coderunner.languages import PYTHON
from tests.behaviours import behaviour
from tests.chat.reading import (
    Case,
    cells,
    commonmark_examples,
    corpus,
    fences,
    fences_of_markdown_it,
    read,
)

CASES = list(corpus())

LINE_STARTS = (
    "",
    "",
    " ",
    "  ",
    "   ",
    "    ",
    "\t",
    "      ",
    " \t",
    "- ",
    "* ",
    "1. ",
    "2. ",
    "10) ",
    "-\t",
    "> ",
    ">",
    ">\t",
    "-   ",
)
LINE_ENDS = ("\n", "\n", "\n", "\r\n", "\r", "")
CONTENTS = (
    *("", "", "x", "x", "```", "```", "```python", "````", "~~~", "~~~ py", "``", "``` x", "-", "1.", ">"),
    *(
        "<div>",
        "</div>",
        "<pre>",
        "</pre>",
        "<!--",
        "-->",
        "<?",
        "?>",
        "<!A",
        "<![CDATA[",
        "]]>",
        "<b>",
        "x -->",
    ),
    *(
        "===",
        "---",
        "# x",
        "***",
        "[x]: /u",
        "[x]: /u 't'",
        "[x]: /u\\",
        "[x]: <u> 't",
        "[x\\",
        "[x]:",
        '"t',
        't" x',
        '""  x',
        "(t)",
        "[ ]: /u",
        "[x]: javascript:a",
        "=",
        "1) a",
        "-\t\tx",
        "> > x",
        "> - x",
        "'t'",
        "[x",
        "]: /u",
        "- - x",
        "\u00a0```",
        "\f```",
        "\0",
        "\u2028",
    ),
)


def lines(contents: tuple[str, ...] = CONTENTS) -> st.SearchStrategy[str]:
    starts = st.lists(st.sampled_from(LINE_STARTS), max_size=3).map("".join)
    return st.tuples(starts, st.sampled_from(contents), st.sampled_from(LINE_ENDS)).map("".join)


def documents() -> st.SearchStrategy[str]:
    """Nasty documents: few kinds of lines each, so that they meet."""
    few = st.lists(st.sampled_from(CONTENTS), min_size=2, max_size=7).map(lambda some: ("```", *some))
    return few.flatmap(lambda some: st.lists(lines(some), max_size=14).map("".join))


@st.composite
def cut_documents(draw: st.DrawFn) -> list[str]:
    text = draw(documents())
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


@behaviour("fences:corpus:runs")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_of_each_reply_in_the_corpus_exactly_the_listed_cells_run(case: Case) -> None:
    assert cells([case.reply], thinking=case.prompted) == case.runs


@behaviour("fences:cuts:nothing-changes")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_reply_of_the_corpus_may_come_character_by_character(case: Case) -> None:
    assert cells(list(case.reply), thinking=case.prompted) == case.runs


@behaviour("fences:cuts:nothing-changes")
@settings(deadline=None, max_examples=300)
@given(cut_documents())
def test_cutting_the_stream_anywhere_changes_nothing(pieces: list[str]) -> None:
    whole = "".join(pieces)
    assert read(pieces) == read([whole]) == read(list(whole))


@behaviour("fences:texts:joined")
@settings(deadline=None, max_examples=300)
@given(st.one_of(documents(), st.text()))
def test_the_texts_of_all_events_joined_are_the_reply(text: str) -> None:
    assert "".join(event.text for event in read([text])) == text


@behaviour("fences:markdown-it:agrees")
@settings(deadline=None, max_examples=400)
@given(documents())
def test_fences_agree_with_markdown_it(text: str) -> None:
    assert fences(text) == fences_of_markdown_it(text)


@behaviour("fences:markdown-it:agrees")
@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from(commonmark_examples()), max_size=6).map("".join))
def test_fences_agree_with_markdown_it_on_the_examples_of_the_specification(text: str) -> None:
    assert fences(text) == fences_of_markdown_it(text)


@behaviour("fences:code:exact")
@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="ab\t `~\r\n\0\u2028\x0c\\<>", max_size=60), st.sampled_from(["```", "~~~~"]))
def test_code_without_its_closing_marker_arrives_exactly_as_written(code: str, marker: str) -> None:
    code = code.replace(marker[0], "").removesuffix("\r") + "\n"
    opened, *inner, closed = read([f"{marker}python\n{code}{marker}\nafter"])[:-1]
    assert (opened, closed) == (FenceOpened(f"{marker}python\n", "python"), FenceClosed(f"{marker}\n"))
    assert inner == [Code(code, code)]


@behaviour("fences:events:kinds")
def test_a_reply_becomes_text_and_fences() -> None:
    assert read(["a\n```py x\n 1\n```\nb"]) == [
        Text("a\n"),
        FenceOpened("```py x\n", "py x"),
        Code(" 1\n", " 1\n"),
        FenceClosed("```\n"),
        Text("b"),
    ]


@behaviour("fences:events:abandoned")
@pytest.mark.parametrize("reply", ["```python\n1\n", "```python\n1", "```python", "- ```python\n  1\nx"])
def test_a_fence_without_a_closing_line_is_abandoned(reply: str) -> None:
    kinds = [type(event) for event in read([reply])]
    assert FenceAbandoned in kinds
    assert FenceClosed not in kinds


@behaviour("fences:streaming:at-once")
@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("Let me", "Let me"),
        ("`x` is", "`x` is"),
        ("```a```", "```a```"),
        ("```py", ""),
        ("- ", ""),
        ("- x", "- x"),
        ("12", ""),
        ("12 ", "12 "),
        ("> ```", "> ```"),
        ("~~", ""),
        ("~~a", "~~a"),
        ("  ", ""),
        ("a\n  b", "a\n  b"),
        ("```\nx = 1", "```\nx = 1"),
        ("```\n``", "```\n"),
        ("```\n```x", "```\n```x"),
        ("```\n    `", "```\n    `"),
        ("a\r", "a"),
    ],
)
def test_only_the_beginning_of_a_possible_fence_line_is_held_back(reply: str, said: str) -> None:
    parser = FenceParser()
    assert "".join(event.text for character in reply for event in parser.receive(character)) == said


@behaviour("fences:streaming:flush")
def test_what_is_held_back_can_be_said_and_still_opens_a_fence() -> None:
    parser = FenceParser()
    assert parser.receive("- ``") == []
    assert parser.flush() == [Text("- ``")]
    assert parser.flush() == []
    assert parser.receive("`py\n") == [FenceOpened("`py\n", "py")]
    assert parser.inside


@behaviour("fences:info:languages")
@pytest.mark.parametrize(
    "info", ["python", "PY x", "{.python #a}", "{python}", " ipython3\tx", 'Python title="a b"']
)
def test_these_info_strings_run(info: str) -> None:
    assert PYTHON.runs(info)


@behaviour("fences:info:languages")
@pytest.mark.parametrize(
    "info", ["", "pycon", "python3.12", "{python", "{r}", "text python", "ıpython", "python\u00a0x"]
)
def test_these_info_strings_do_not_run(info: str) -> None:
    assert not PYTHON.runs(info)


@behaviour("fences:depth:no-crash")
@pytest.mark.parametrize(
    "reply",
    [
        "- " * 2_000 + "```python\n1\n```\n",
        "".join("  " * depth + "- x\n" for depth in range(500)) + "```python\n1\n```\n",
        "> " * 2_000 + "x\n```python\n1\n```\n",
        "1. " * 2_000 + "x\n\n" + " " * 6_000 + "```python\n1\n```\n",
    ],
)
def test_lists_and_quotes_of_any_depth_are_read_and_do_not_stop_later_blocks(reply: str) -> None:
    assert cells([f"{reply}\n\ntext\n\n```python\n2\n```\n\n```python\n3\n```\n"])[-1] == "3\n"


SHAPES = {
    # Those of the parsers that are compared in the bench, and what its search has found.
    "fences": ("", "```text\nx\n```\n"),
    "prose": ("", "Some prose that goes on for a while.\n\n"),
    "fences in items": ("", "- a\n\n  ```text\n  x\n  ```\n\n"),
    "lazy lines that look like fences": ("", "    ```python\n"),
    "one line": ("", "x"),
    "quotes that go on lazily": ("", "> q {n}\n    ```{n}\n"),
    "a quote that goes on lazily": ("> q\n", "    ```{n}\n"),
    "a label that goes on": ("[x\n", "    ```{n}\n"),
    "a title that goes on": ("[x]: /u\n    'x\n", "    ```{n}\n"),
    "titles that never end": ("", "[x]: /u\n    (t {n}\n[y\n==\n"),
    "titles within titles": ("", "[x]: /u\n    \"t\n[y]: /u\n    't\n[z]: /u\n    (t {n}\n"),
    "headings in a label": ("[x\n", "y\n=\n"),
    "a deep list": ("- " * 49 + "x\n", "    ```{n}\n"),
    "a deep quote": (">" * 90 + "x\n", "-{n}\n"),
    "deep lists": ("", "- " * 49 + "x\n"),
    "deep quotes": ("", ">" * 90 + "\n"),
    "quotes in items": ("", "- > " * 30 + "{n}\n"),
    "blank lines in an item": ("- x\n", "\n"),
    "blank items": ("", "-\n"),
    "HTML that does not end": ("<pre>\n", "```{n}\n"),
    "HTML that ends": ("", "-   <div>\r"),
    "fences that are left": ("", "- ```\n  x\ny\n"),
    "fences that nearly end": ("````text\n", "``` {n}\n"),
    "code that lacks its margin": ("- ```\n", "\tx\n"),
    "setext headings": ("", "a\n=\n"),
    "brackets": ("", "["),
    "blanks": ("", " "),
    "list markers": ("", "- "),
    "backticks": ("", "`"),
    "lone line ends": ("x\n\n", "\n"),
    "carriage returns": ("", "  \r"),
    "blank lines in a fence in an item": ("- ```{n}\n", "\n"),
    "blank lines in a block": ("```python\n", "\n"),
    "code in an item": ("- ```python\n", "  x\n"),
    "tags that never come": ("", "<|begin_of_though"),
    "tags that begin again and again": ("", "<"),
    "a thought": ("<think>", "x\n<"),
    "a thought in a line that is held back": (" " * 50 + "``<think>", "x"),
    "labels below items": ("", "- - [\\\r\u2028\r+\n-\t\t\r"),
    "labels in quotes in items": ("> - <!--\n\n", "> - [x\n"),
    "runs of growing length in quotes": ("", "> {t}\n"),
}
CALLS = {1: 52, 7: 34, 1_000_000: 28}
"""The most calls of functions a character, by the size of the deltas. One delta takes 7 at least."""
CHARACTERS = 10_000
"""How long the replies are at most: counting the calls takes ten times as long as reading."""


@behaviour("fences:cost:linear")
@pytest.mark.parametrize("step", CALLS)
@pytest.mark.parametrize("shape", SHAPES)
def test_reading_takes_steps_in_proportion_to_the_length_and_few_whatever_is_read(
    shape: str, step: int
) -> None:
    head, part = SHAPES[shape]
    steps(head + part * 10, step)  # so that nothing counts that happens only the first time
    most = min(640, max(80, CHARACTERS // len(part)))
    short, long = (head + "".join(numbered(part, n) for n in range(size)) for size in (most // 8, most))
    taken = steps(long, step)
    assert taken <= CALLS[step] * len(long)
    assert taken < 10 * steps(short, step) * len(long) / len(short) / 8


def numbered(part: str, number: int) -> str:
    return part.replace("{n}", str(number)).replace("{t}", "`" * (3 + number % 60))


def steps(text: str, step: int) -> int:
    """How many functions are called for a turn to read a reply in deltas of so many characters."""
    count = 0

    def called(_frame: FrameType, kind: str, _value: object) -> None:
        nonlocal count
        count += kind in ("call", "c_call")

    turn = Turn()
    turn.start()
    sys.setprofile(called)
    try:
        for place in range(0, len(text), step):
            turn.receive(text[place : place + step])
        turn.close()
    finally:
        sys.setprofile(None)
    return count


@behaviour("fences:cost:one-delta")
@pytest.mark.parametrize("margin", ["", "  ", "- "])
@pytest.mark.parametrize("first", ["", "\n", "\n\n", "\r"])
def test_the_lines_of_a_block_that_comes_at_once_are_read_together(margin: str, first: str) -> None:
    blank = " " * len(margin)
    lines = first + f"{blank}x = '```'\n\n{blank}  y\r\n" * 1_000
    opens, code, *closes = FenceParser().receive(f"{margin}```python\n{lines}{blank}```\nafter")
    assert code == Code(lines, lines.replace(f"{blank}x", "x").replace(f"{blank}  y", "  y"))
    assert [opens, *closes] == [
        FenceOpened(f"{margin}```python\n", "python"),
        FenceClosed(f"{blank}```\n"),
        Text("after"),
    ]


@behaviour("fences:markdown-it:agrees")
@pytest.mark.parametrize(
    "text",
    [
        "> x\n" + "    ```python\n" * 2_000 + "\n```python\n1\n```\n",
        "[x\n" + "    ```python\n" * 2_000 + "]: /u\n    ```python\n\n```python\n1\n```\n",
        "[x]: /u\n  't\n" + "y\n" * 4_000 + "'\n2. ```python\n   1\n   ```\n",
        "- > x\n" + "y\n" * 4_000 + "    ```python\n    1\n    ```\n",
    ],
)
def test_fences_agree_with_markdown_it_however_long_a_block_goes_on(text: str) -> None:
    assert fences(text) == fences_of_markdown_it(text)


@behaviour("fences:unfenced")
@pytest.mark.parametrize(
    ("code", "inner"),
    [
        ("```python\nx = 1\n```", "x = 1\n"),
        ("\n  \n~~~~\nx = 1\n\ny\n~~~~\n\n", "x = 1\n\ny\n"),
        ("```Python3.12 title='a'\r\nx\r\n```\r\n", "x\r\n"),
        ("    ```{.python}\n    if x:\n        y\n    ```", "if x:\n    y\n"),
        ("````py\n```\n````", "```\n"),
        ("```\n```", ""),
        ("\ufeff```python\nx\n```", "x\n"),
        ("```python\nx = 1\n", "x = 1"),
        ("```python\nx = 1\n```\nThis sets it.", "x = 1\n"),
        ("Here it is:\n\n```\nx = 1\n```\n", "x = 1\n"),
        ("1. So:\n\n   ```python\n   if x:\n       y\n   ```\n", "if x:\n    y\n"),
        ("- ```\n  x\n  ```", "x\n"),
        ('```python\ns = """\n# a\n"""\n```', 's = """\n# a\n"""\n'),
    ],
)
def test_a_text_that_is_one_fence_is_its_code(code: str, inner: str) -> None:
    assert unfenced(code) == inner


@behaviour("fences:unfenced")
@pytest.mark.parametrize(
    "code",
    [
        "",
        "x = 1",
        "s = '''\n```python\nx\n```\n'''",
        '%pip list\ns = """\n```\nx\n```\n"""',
        "%%writefile a.md\n# A\n```python\nx\n```\n",
        "!cat <<E\n```\nx\n```\nE",
        "~~~python\nx = 1\ny",
        "f(\n~~~\n1,\n~~~\n2)",
        "# ```python\nx\n# ```",
        "Now:\n```python\nx = 1\n",
        "```python\nx = 1\n```\n```python\ny\n```",
        "```bash\nls\n```",
        "Do this:\n```bash\nls\n```",
        "> ```python\n> x\n> ```",
        "`x`",
    ],
)
def test_any_other_text_stays_as_it_is(code: str) -> None:
    assert unfenced(code) == code


@behaviour("fences:corpus:runs")
def test_no_two_cases_of_the_corpus_have_one_title() -> None:
    titles = [case.title for case in CASES]
    assert len(set(titles)) == len(titles)
