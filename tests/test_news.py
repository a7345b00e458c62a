"""What is new of a cell's outputs, for those who can only add to what they have told."""

from hypothesis import given
from hypothesis import strategies as st

from coderunner.kernel.protocol.output_delta import UnsentOutput
from coderunner.kernel.protocol.output_limits import BoundedText
from coderunner.outputs import DisplayData, Omission, Output, Stream
from coderunner.runner import Change, OutputDelta
from tests.behaviours import behaviour

PLOT = DisplayData({"image/png": "AAAA"})


def told(*changes: Change) -> list[Output]:
    news = OutputDelta()
    return [output for change in changes for output in news.receive(change)]


@behaviour("runner:news:rest")
@given(st.lists(st.text(min_size=1), min_size=1))
def test_a_text_that_grows_is_told_once_in_pieces(chunks: list[str]) -> None:
    text, changes = BoundedText("stdout", ""), []
    for chunk in chunks:
        text.add(chunk)
        changes.append(Change(0, text.value()))
    assert [output.text for output in told(*changes) if isinstance(output, Stream)] == chunks


@behaviour("runner:news:once")
def test_an_output_is_told_when_it_comes_and_when_it_changes() -> None:
    other = DisplayData({"text/plain": "2"})
    assert told(Change(0, PLOT), Change(0, PLOT), Change(1, PLOT), Change(0, other)) == [PLOT, PLOT, other]


@behaviour("runner:news:untold")
def test_what_was_not_told_yet_is_given_once_as_it_stands_by_then() -> None:
    untold = UnsentOutput()
    for change in (Change(0, Stream("stdout", "a")), Change(1, PLOT), Change(0, Stream("stdout", "ab"))):
        untold.receive(change)
    assert [untold.take(), untold.take()] == [(Stream("stdout", "ab"), PLOT), ()]
    for change in (Change(0, None), Change(0, Stream("stdout", "c")), Change(1, PLOT)):
        untold.receive(change)
    assert [untold.take(), untold.take()] == [(Stream("stdout", "c"), PLOT), ()]


@behaviour("runner:news:cleared")
def test_what_is_shown_anew_after_a_clearing_is_told_anew() -> None:
    half, whole = Stream("stdout", "50 %"), Stream("stdout", "50 % and more")
    assert told(Change(0, half), Change(0, None), Change(0, whole)) == [half, whole]


@behaviour("runner:news:missing")
def test_what_is_missing_before_the_rest_is_counted() -> None:
    assert told(
        Change(0, Stream("stdout", "head…")),
        Change(0, Stream("stdout", "head…more;tail", Omission(at=10, characters=1000))),
        Change(0, Stream("stdout", "head…more;ail!", Omission(at=10, characters=1001))),
        Change(0, Stream("stdout", "head…more;end.", Omission(at=10, characters=1021))),
    ) == [
        Stream("stdout", "head…"),
        Stream("stdout", "more;"),
        Stream("stdout", "tail", Omission(characters=1000)),
        Stream("stdout", "!"),
        Stream("stdout", "end.", Omission(characters=16)),
    ]
