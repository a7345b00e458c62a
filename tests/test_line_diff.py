"""What a person has changed in some code, line by line."""

from hypothesis import given
from hypothesis import strategies as st

from coderunner.text.line_diff import MOST, DiffLine, Gap, differ, folded, line_diff
from tests.behaviours import behaviour

LINES = st.lists(st.sampled_from(["a", "b", "    c", "", "d\x0c", "é"]), max_size=12).map("\n".join)


def side(before: str, after: str, kind: str) -> list[str]:
    return [line.text for line in line_diff(before, after) if line.kind in ("same", kind)]


def lines(text: str) -> list[str]:
    return text.rstrip("\n").split("\n") if text.strip("\n") else []


@behaviour("diff:lines:both")
@given(LINES, LINES)
def test_a_diff_holds_both_texts_line_by_line(before: str, after: str) -> None:
    assert side(before, after, "old") == lines(before)
    assert side(before, after, "new") == lines(after)
    assert differ(before, after) == any(line.kind != "same" for line in line_diff(before, after))


@behaviour("diff:lines:both")
def test_line_ends_and_blank_lines_at_the_end_are_no_change() -> None:
    assert not differ("a\r\nb\n", "a\nb")
    assert not differ("a\n", "a\n\n \n")
    assert differ("a\n", "a \n")


@behaviour("diff:folded:gaps")
@given(LINES, LINES, st.integers(0, 3))
def test_what_is_left_out_is_counted_and_is_never_a_change(before: str, after: str, around: int) -> None:
    whole = line_diff(before, after)
    shown = list(folded(whole, around))
    gaps = [each.lines for each in shown if isinstance(each, Gap)]
    assert sum(gaps) + sum(isinstance(each, DiffLine) for each in shown) == len(whole)
    assert all(gap > 1 for gap in gaps)
    kept = [each for each in shown if isinstance(each, DiffLine)]
    assert [line for line in kept if line.kind != "same"] == [line for line in whole if line.kind != "same"]


@behaviour("diff:cost:bounded")
def test_texts_that_would_cost_their_product_are_not_compared_line_by_line() -> None:
    many = 100 * MOST
    before, after = "a\nb\n" * many + "x", "b\na\n" * many + "y"
    compared = line_diff(before, after)
    assert [line.kind for line in compared] == ["old"] * (2 * many + 1) + ["new"] * (2 * many + 1)
