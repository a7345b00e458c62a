"""How a reply grows."""

from functools import reduce

import pytest

from coderunner.hosts.app import transcript
from coderunner.hosts.app.transcript import Parts, Prose, Thought
from coderunner.outputs import Cell, Result, Status, Stream
from coderunner.page.block import Block, State
from tests.behaviours import behaviour

FENCE = "```python\nprint(15)\n```\n"
FIFTEEN = Stream("stdout", "15\n")


def told(*, upto: int = 99) -> Parts:
    """A reply with one block, as its events come."""
    done = Result((FIFTEEN,))
    steps = [
        lambda parts: transcript.said(parts, "Let me "),
        lambda parts: transcript.said(parts, "see.\n"),
        lambda parts: transcript.coded(parts, FENCE[:12]),
        lambda parts: transcript.coded(parts, FENCE[12:]),
        lambda parts: transcript.asked(parts, Cell("print(15)\n"), "ask"),
        lambda parts: transcript.started(parts, Cell("print(15)\n"), "run"),
        lambda parts: transcript.aged(parts, 0.3),
        lambda parts: transcript.showed(parts, 0, FIFTEEN),
        lambda parts: transcript.ended(parts, done),
        lambda parts: transcript.read(parts, "Result: 15\n"),
        lambda parts: transcript.said(parts, "It is 15."),
    ]
    return reduce(lambda parts, step: step(parts), steps[:upto], ())


@behaviour("app:transcript:grows")
def test_prose_block_and_prose_become_three_parts() -> None:
    assert told() == (
        Prose("Let me see.\n"),
        Block(
            FENCE, "print(15)\n", State.ENDED, "run", (FIFTEEN,), Result((FIFTEEN,)), 0.3, read="Result: 15\n"
        ),
        Prose("It is 15."),
    )


@behaviour("app:transcript:grows")
def test_code_can_be_seen_while_it_is_written() -> None:
    (_, block) = told(upto=3)
    assert isinstance(block, Block)
    assert (block.state, block.code) == (State.WRITING, "pr")


@behaviour("app:transcript:grows")
def test_a_closing_line_is_not_shown_as_code() -> None:
    (_, block) = told(upto=4)
    assert isinstance(block, Block)
    assert block.code == "print(15)"


@behaviour("app:transcript:grows")
def test_outputs_come_change_and_go() -> None:
    running = told(upto=7)
    two = transcript.showed(transcript.showed(running, 0, FIFTEEN), 1, Stream("stderr", "!"))
    other = transcript.showed(two, 0, Stream("stdout", "16\n"))
    none = transcript.showed(other, 0, None)
    assert [parts[-1].outputs for parts in (two, other, none) if isinstance(parts[-1], Block)] == [
        (FIFTEEN, Stream("stderr", "!")),
        (Stream("stdout", "16\n"), Stream("stderr", "!")),
        (),
    ]


@behaviour("app:transcript:grows")
def test_thoughts_stand_apart_from_what_is_said() -> None:
    parts = transcript.said(transcript.thought(transcript.thought((), "Hm"), "m."), "Well.")
    assert parts == (Thought("Hmm."), Prose("Well."))


@behaviour("app:transcript:unfinished")
def test_a_block_that_was_never_closed_is_marked_as_not_run() -> None:
    (_, block) = transcript.closed(told(upto=3))
    assert isinstance(block, Block)
    assert block.state is State.UNFINISHED


@behaviour("app:transcript:unfinished")
@pytest.mark.parametrize(
    ("upto", "status"),
    [(5, Status.INTERRUPTED), (8, Status.LOST), (9, Status.OK)],
    ids=["waits", "runs", "ended"],
)
def test_no_block_goes_on_when_its_reply_is_over(upto: int, status: Status) -> None:
    (_, block) = transcript.closed(told(upto=upto))
    assert isinstance(block, Block)
    assert block.result is not None
    assert (block.state, block.result.status) == (State.ENDED, status)


@behaviour("app:transcript:grows")
def test_finished_parts_stay_the_same_objects() -> None:
    before, after = told(upto=10), transcript.said(told(upto=10), "more")
    grown = transcript.said(before, "more")
    assert grown[:-1] == after[:-1]
    assert all(old is new for old, new in zip(before, grown, strict=False))
