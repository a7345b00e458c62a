"""The veil over a reply: a pure function of its pieces."""

from collections.abc import Sequence
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st
from modules.reasoning import THINKING_FORMATS, extract_reasoning

from coderunner.hosts.textgen.reply import output_placeholders
from coderunner.hosts.textgen.reply.thought_tag_masking import BREAK, ThoughtTagMasking
from coderunner.runner import Part
from tests.behaviours import behaviour

TAGS = tuple(dict.fromkeys(tag for tags in THINKING_FORMATS for tag in tags if tag))
SCRAPS = st.sampled_from([*TAGS, *(tag[: len(tag) // 2] for tag in TAGS), "<", "a", "\n", "thought", " "])
PIECES = st.lists(st.tuples(SCRAPS, st.sampled_from(list(Part))), max_size=12)


def shown(pieces: Sequence[tuple[str, Part]], *, drawn: bool, markers: bool = True) -> str:
    hidden = ThoughtTagMasking(TAGS, drawn=drawn, markers=output_placeholders.thought if markers else None)
    return "".join([*(hidden.receive(text, part) for text, part in pieces), hidden.close()])


@behaviour("textgen:thought:veil")
@given(PIECES)
def test_no_tag_comes_through_whole(pieces: list[tuple[str, Part]]) -> None:
    page = shown(pieces, drawn=True)
    assert not any(tag in page for tag in TAGS)
    assert extract_reasoning(f"First. {page}")[1] == f"First. {page}"


@behaviour("textgen:thought:veil")
@given(PIECES)
def test_what_is_not_thought_stays_readable(pieces: list[tuple[str, Part]]) -> None:
    said = "".join(text for text, part in pieces if part is not Part.THOUGHT)
    for page in (shown(pieces, drawn=True), shown(pieces, drawn=True, markers=False)):
        assert output_placeholders.without(page).replace(BREAK, "") == said


@behaviour("textgen:thought:kept")
@given(PIECES)
def test_what_is_thought_after_a_result_stands_between_marks_without_its_tags(
    pieces: list[tuple[str, Part]],
) -> None:
    kept = shown([("1", Part.RESULT), *pieces, ("end", Part.TEXT)], drawn=False)
    thoughts = [found[2].replace(BREAK, "") for found in output_placeholders._THOUGHT.finditer(kept)]
    spans = [
        "".join(text for text, _part in group)
        for thinks, group in groupby(pieces, key=lambda piece: piece[1] is Part.THOUGHT)
        if thinks
    ]
    assert [_bare(thought) for thought in thoughts] == [_bare(span) for span in spans if _bare(span)]


def _bare(thought: str) -> str:
    """Without tags and blanks: of both it is not asked here which go."""
    for tag in sorted(TAGS, key=len, reverse=True):
        thought = thought.replace(tag, "") if tag.startswith("<") else thought
    return "".join(thought.split()).replace(BREAK, "")


@behaviour("textgen:thought:veil")
@given(PIECES)
def test_before_the_first_result_everything_passes_as_it_is(pieces: list[tuple[str, Part]]) -> None:
    before = [(text, part) for text, part in pieces if part is not Part.RESULT]
    assert shown(before, drawn=False) == "".join(text for text, _part in before)
