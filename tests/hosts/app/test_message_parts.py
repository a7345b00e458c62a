"""How a reply grows."""

import operator
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.hosts.app.conversation import message_parts
from coderunner.hosts.app.conversation.message_parts import Message, Notice, Parts, Prose, Thought
from coderunner.outputs import Result, Status, Stream
from coderunner.page import block_transitions
from coderunner.page.append_only_text import AppendOnlyText
from coderunner.page.block_state import Block, State
from tests.behaviours import behaviour

FENCE = "```python\nprint(15)\n```\n"
FIFTEEN = Stream("stdout", "15\n")


def block(grow: Callable[[Block], Block]) -> Callable[[Parts], Parts]:
    """A step that the last block of a reply takes."""
    return lambda parts: message_parts.grown(parts, grow)


def told(*, upto: int = 99) -> Parts:
    """A reply with one block, as its events come."""
    done = Result((FIFTEEN,))
    steps = [
        lambda parts: message_parts.said(parts, "Let me "),
        lambda parts: message_parts.said(parts, "see.\n"),
        lambda parts: message_parts.coded(parts, FENCE[:12]),
        lambda parts: message_parts.coded(parts, FENCE[12:]),
        block(lambda b: block_transitions.asked(b, "print(15)\n", "ask")),
        block(lambda b: block_transitions.started(b, "print(15)\n", "run")),
        block(lambda b: block_transitions.aged(b, 0.3)),
        block(lambda b: block_transitions.showed(b, 0, FIFTEEN)),
        block(lambda b: block_transitions.ended(b, done)),
        block(lambda b: replace(b, read="Result: 15\n")),
        lambda parts: message_parts.said(parts, "It is 15."),
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
    two = block_transitions.showed(block_transitions.showed(Block(), 0, FIFTEEN), 1, Stream("stderr", "!"))
    other = block_transitions.showed(two, 0, Stream("stdout", "16\n"))
    none = block_transitions.showed(other, 0, None)
    assert [block.outputs for block in (two, other, none)] == [
        (FIFTEEN, Stream("stderr", "!")),
        (Stream("stdout", "16\n"), Stream("stderr", "!")),
        (),
    ]


@behaviour("app:transcript:grows")
def test_thoughts_stand_apart_from_what_is_said() -> None:
    parts = message_parts.said(message_parts.thought(message_parts.thought((), "Hm"), "m."), "Well.")
    assert parts == (Thought("Hmm."), Prose("Well."))


@behaviour("app:transcript:linear")
@given(st.lists(st.text(max_size=9), max_size=700), st.integers(0, 700))
def test_a_text_grows_at_its_end_and_what_it_was_before_stays(pieces: list[str], at: int) -> None:
    values = list(accumulate(pieces, operator.add, initial=AppendOnlyText("a")))
    assert [str(value) for value in values] == list(accumulate(pieces, operator.add, initial="a"))
    early = values[at % len(values)]
    assert early + "other" == f"{early}other"
    assert values[-1] == "a" + "".join(pieces)


@behaviour("app:transcript:linear")
@pytest.mark.parametrize(
    ("pieces", "blocks"),
    [
        (["```py\n", "\n", "```\n", "```py\n", "x"], 2),
        (["```py\n\n```\n", "```py\nx"], 2),
        (["```py\n", "x", " ```\n", "y\n", "```\n"], 1),
        (["```py\n", "~~~\n", "x\n"], 1),
        (["````py\n", "```\n", "x\n"], 1),
    ],
)
def test_a_block_begins_where_the_one_before_was_closed(pieces: list[str], blocks: int) -> None:
    parts: Parts = ()
    for piece in pieces:
        parts = message_parts.coded(parts, piece)
    assert len(parts) == blocks


@behaviour("app:transcript:unfinished")
def test_a_block_that_was_never_closed_is_marked_as_not_run() -> None:
    (_, block) = message_parts.grown(told(upto=3), block_transitions.left)
    assert isinstance(block, Block)
    assert block.state is State.UNFINISHED


@behaviour("app:transcript:unfinished")
@pytest.mark.parametrize(
    ("upto", "status"),
    [(5, None), (8, Status.LOST), (9, Status.OK)],
    ids=["waits", "runs", "ended"],
)
def test_no_block_goes_on_when_its_reply_is_over(upto: int, status: Status | None) -> None:
    (_, block, notice) = message_parts.over(told(upto=upto), "Stopped.")
    assert isinstance(block, Block)
    assert block.state is (State.ENDED if status else State.UNFINISHED)
    assert (block.result and block.result.status) == status
    assert notice == Notice("Stopped.")


@behaviour("app:transcript:unfinished")
@pytest.mark.parametrize(
    "below",
    [
        lambda parts: message_parts.said(parts, "Well."),
        lambda parts: message_parts.thought(parts, "Hm."),
        lambda parts: message_parts.over(parts, "Stopped."),
        lambda parts: message_parts.coded(message_parts.coded(parts, "\n```\n"), "```python\n"),
    ],
)
def test_no_block_is_being_written_when_something_stands_below_it(below: Callable[[Parts], Parts]) -> None:
    (_, block, *_) = below(told(upto=3))
    assert isinstance(block, Block)
    assert block.state is State.UNFINISHED


@behaviour("app:transcript:unfinished")
@pytest.mark.parametrize(
    ("fence", "closed"),
    [
        ("```python\n", False),
        ("```python\nx\n", False),
        ("```python\n```", True),
        ("```python\nx\n```\n", True),
        ("```python\nx\n  `````  \n", True),
        ("````python\nx\n```\n", False),
        ("~~~python\nx\n```\n", False),
        ("```python\nx = (\n    ```\n", False),
        ("1. ```python\n   x\n   ```\n", True),
        ("```", False),
    ],
)
def test_a_fence_is_closed_when_its_closing_line_is_there(fence: str, *, closed: bool) -> None:
    assert Block(fence).closed is closed


@behaviour("app:transcript:grows")
def test_finished_parts_stay_the_same_objects() -> None:
    before, after = told(upto=10), message_parts.said(told(upto=10), "more")
    grown = message_parts.said(before, "more")
    assert grown[:-1] == after[:-1]
    assert all(old is new for old, new in zip(before, grown, strict=False))


@behaviour("app:language:other")
def test_a_block_in_a_language_that_the_kernel_does_not_speak_is_never_run_again() -> None:
    ends = (Result(), Result(status=Status.UNFIT, detail="this kernel speaks R"))
    blocks = tuple(
        Block(source=f"{at}", state=State.ENDED, ticket=f"t{at}", result=end, ordinal=at)
        for at, end in enumerate(ends)
    )
    said = [Message("assistant", "", blocks, reply="r")]
    assert [past.source for past in message_parts.ran_well(said)] == ["0"]
    assert [message_parts.repeatable(said, each.ticket) is not None for each in blocks] == [True, False]
