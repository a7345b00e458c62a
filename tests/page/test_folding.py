"""Long code and long outputs, folded; and what a person has changed."""

import re
from dataclasses import replace
from html import unescape
from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.outputs import Result, Stream
from coderunner.page.block_state import Block, State
from coderunner.page.html import ansi_html, block_html, output_html, syntax_highlighting
from coderunner.page.html.block_html import Setting
from coderunner.page.html.folding import CODE, OUTPUT, Fold, folded, growing
from tests.behaviours import behaviour

SETTING = Setting()
LONG = "\n".join(f"x{number} = {number}" for number in range(100)) + "\n"
PIECES = st.sampled_from(["a = 1", '"""', "# c", "", "\x1b[31mred", "\x1b[0m", "def f(x):", "<b>&", "\x07"])


def text(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def code_of(source: str, state: State) -> str:
    return block_html.look(Block(f"```python\n{source}", source=source, state=state), SETTING).code


def balanced(html: str) -> bool:
    depth = 0
    for tag in re.findall(r"</?span", html):
        depth += 1 if tag == "<span" else -1
        if depth < 0:
            return False
    return depth == 0


@behaviour("page:folded:exact")
@given(
    st.lists(PIECES, max_size=20).map("\n".join), st.sampled_from([syntax_highlighting.html, ansi_html.html])
)
def test_what_is_folded_is_all_there_and_copied_as_it_was(source: str, draw: object) -> None:
    assert callable(draw)
    html = draw(source)
    for parts in (folded(html, Fold(6, 2, 2), "unfold"), growing(html, Fold(6, 2, 2), "unfold")):
        assert text(parts) == text(html)
        middle = parts.partition('<span class="cr-mid">')
        assert balanced(middle[0])
        assert balanced(parts)


@behaviour("page:folded:lines")
@pytest.mark.parametrize("state", [State.ENDED, State.WAITING])
def test_of_long_code_the_first_and_the_last_lines_are_seen(state: State) -> None:
    html = code_of(LONG, state)
    head, _, rest = html.partition('<span class="cr-mid">')
    middle, _, tail = rest.partition("</span><button")
    assert f'aria-label="Show {100 - CODE.head - CODE.tail} more lines"' in html
    assert text(head).count("\n") == CODE.head
    assert text(middle).count("\n") == 100 - CODE.head - CODE.tail
    assert text(html) == LONG
    assert tail.count("\n") == CODE.tail


@behaviour("page:folded:lines")
def test_lines_that_were_left_out_count_as_hidden() -> None:
    text = "".join(f"line {number}\n" for number in range(100_000))
    html = output_html.harmless(output_html.draw(Stream("stdout", text), Block()))
    assert f'aria-label="Show {100_000 - OUTPUT.head - OUTPUT.tail + 2:,} more lines"' in html


@behaviour("page:folded:grows")
def test_code_that_is_written_only_grows_at_its_end_and_so_it_does_when_it_is_folded() -> None:
    before = ""
    for lines in range(1, 100):
        now = code_of("".join(LONG.splitlines(keepends=True)[:lines]), State.WRITING)
        if lines != CODE.longest + 1:  # from here on it has a middle
            assert now.startswith(before)
        before = now.removesuffix("</code></pre>").removesuffix("</span>")
    folded_now = code_of(LONG, State.ENDED)
    same = list(takewhile(lambda pair: pair[0] == pair[1], zip(before, folded_now, strict=False)))
    assert sum(pair[0] == "\n" for pair in same) == 100 - CODE.tail


@behaviour("page:folded:lines")
def test_short_texts_are_not_folded_and_long_outputs_are() -> None:
    short, long = "1\n" * OUTPUT.longest, "1\n" * (OUTPUT.longest + 1)
    for shown, button in ((short, False), (long, True)):
        look = block_html.look(Block("x", outputs=(Stream("stdout", shown),)), SETTING)
        assert ("cr-unfold" in str(look.outputs[0])) is button
    assert "cr-unfold" not in block_html.look(Block(source="x\n" * CODE.longest), SETTING).code


@behaviour("page:diff:seen")
def test_an_edited_run_shows_what_was_changed_and_its_whole_code() -> None:
    block = Block(source="a = 1\nb = 2\n", state=State.ENDED, result=Result(), ticket="t", ordinal=0)
    below = Block(source="a = 1\nb = 3\n", repeat=True, of="t", first=block.source, state=State.ENDED)
    again = block_html.look(replace(below, result=Result()), SETTING)
    assert text(again.code).startswith("Edited · +1 −1 lines a = 1\nremoved: −b = 2\nadded: +b = 3\n")
    assert again.code.endswith(
        '<pre class="cr-code" tabindex="0"><code>'
        f"{syntax_highlighting.html(below.source)}</code></pre></details>"
    )
    assert text(again.bar) == "Edited: DoneEditCopy"
    assert block_html.look(replace(below, first="", result=Result()), SETTING).code == ""


@behaviour("page:diff:seen")
def test_a_block_that_was_changed_before_it_ran_shows_what_ran_and_what_was_written() -> None:
    ran = Block("```python\na = 1\n```\n", source="a = 2\n", first="a = 1\n", state=State.RUNNING)
    html = block_html.look(ran, SETTING).code
    assert text(html).startswith("a = 2\nEdited before it ran · +1 −1 lines")
