"""Thought told apart from the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.chat.parsing.reasoning import FAMILIES, TAGS, Family, Kind, Span, Thoughts
from tests.behaviours import behaviour


def spans(pieces: list[str], *, prompted: bool = False) -> list[Span]:
    thoughts = Thoughts(prompted=prompted)
    whole: list[Span] = []
    for span in [*(span for piece in pieces for span in thoughts.receive(piece)), *thoughts.close()]:
        if whole and whole[-1].kind is span.kind is not Kind.STRAY:
            whole[-1] = Span(whole[-1].text + span.text, span.kind)
        else:
            whole.append(span)
    return whole


@behaviour("reasoning:families:each")
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.opening[0])
def test_each_family_has_its_thought_taken_out(family: Family) -> None:
    for opening in family.opening:
        for closing in family.closing:
            for case in (str.lower, str.upper):
                thought = case(f"{opening} x {closing}")
                expected = [Span("a ", Kind.VISIBLE), Span(thought, Kind.THOUGHT), Span(" b", Kind.VISIBLE)]
                assert spans([f"a {thought} b"]) == expected


@behaviour("reasoning:families:each")
def test_no_tag_is_the_beginning_of_another() -> None:
    assert [(one, other) for one in TAGS for other in TAGS if one != other and other.startswith(one)] == []


@behaviour("reasoning:stray:before")
def test_a_closing_tag_alone_says_that_all_before_was_thought() -> None:
    assert spans(["a</think>b"]) == [
        Span("a", Kind.VISIBLE),
        Span("</think>", Kind.STRAY),
        Span("b", Kind.VISIBLE),
    ]


@behaviour("reasoning:framing:unseen")
def test_the_framing_between_channels_is_no_text() -> None:
    assert spans(
        ["<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b"]
    ) == [
        Span(
            "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>",
            Kind.THOUGHT,
        ),
        Span("b", Kind.VISIBLE),
    ]


@behaviour("reasoning:cuts:nothing-changes")
@given(
    st.lists(
        st.sampled_from(
            [
                *TAGS,
                "a",
                " ",
                "\n",
                "`",
                "<",
                "[",
                "◁",
                "<|",
                "</",
                "think>",
                "<thi",
                "THIN\u212a>",
                "<thought\u017f>",
            ]
        ),
        max_size=12,
    ).map("".join),
    st.integers(1, 7),
    st.booleans(),
)
def test_cutting_the_text_anywhere_changes_nothing(text: str, size: int, prompted: bool) -> None:
    whole = spans([text], prompted=prompted)
    assert "".join(span.text for span in whole) == text
    pieces = [text[place : place + size] for place in range(0, len(text), size)]
    assert spans(pieces, prompted=prompted) == whole
