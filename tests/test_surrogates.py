import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from coderunner.hosts.mcp.arguments import Code
from coderunner.models.continuation.reply_segment import ReplySegment
from coderunner.models.continuation.tool_calls import called
from coderunner.models.endpoint.chunks import piece
from coderunner.outputs import Cell
from coderunner.text.surrogates import SurrogateJoiner, paired, whole
from tests.behaviours import behaviour

anything = st.text(st.characters(codec=None, exclude_categories=()), max_size=30)
"""Halves among it."""
said = st.text(max_size=30) | st.text(st.sampled_from("a\n🚢é😀"), max_size=30)


def units(text: str) -> list[str]:
    """The text cut into what UTF-16 writes it in: characters, and halves of them."""
    data = text.encode("utf-16-le", "surrogatepass")
    return [chr(int.from_bytes(data[at : at + 2], "little")) for at in range(0, len(data), 2)]


def sent(value: object) -> object:
    """As it comes out of JSON."""
    return json.loads(json.dumps(value))


@behaviour("characters:whole")
@given(said)
def test_halves_are_joined(text: str) -> None:
    assert whole("".join(units(text))) == text


@behaviour("characters:whole")
@given(anything)
def test_what_comes_out_can_be_written_and_a_half_is_one_replacement(text: str) -> None:
    joined = whole(text)
    assert joined.encode().decode() == joined
    assert len(joined) == len(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
    assert whole(joined) == joined
    assert (whole("a\ud83d"), whole("\udea2\ud83d\ud83d\udea2")) == ("a\ufffd", "\ufffd\ufffd🚢")


@behaviour("characters:whole")
@given(anything, st.booleans())
def test_json_is_read_with_whole_characters(text: str, escaped: bool) -> None:
    written = json.dumps({text: [text]}, ensure_ascii=escaped)
    assert json.loads(paired(written)) == {whole(text): [whole(text)]}


@behaviour("characters:whole")
def test_a_backslash_before_the_letters_of_a_half_is_a_backslash() -> None:
    assert json.loads(paired(r'["\\ud83d", "\ud83d", "\uD83D\uDEA2\n\ude00"]')) == [
        r"\ud83d",
        "\ufffd",
        "🚢\n\ufffd",
    ]


@behaviour("characters:cuts")
@given(st.lists(anything, max_size=8))
def test_cutting_a_text_anywhere_changes_nothing(pieces: list[str]) -> None:
    joiner = SurrogateJoiner()
    assert "".join([joiner.receive(each) for each in pieces]) + joiner.close() == whole("".join(pieces))


@behaviour("characters:cuts")
@given(said, said)
def test_a_reply_in_halves_is_the_text_and_so_is_its_thought(text: str, thought: str) -> None:
    stretch = ReplySegment()
    deltas = []
    for content, thinking in zip(units(text) + [""] * 60, units(thought) + [""] * 60, strict=False):
        chunk = sent({"choices": [{"delta": {"content": content, "reasoning": thinking}}]})
        deltas.append(stretch.receive([piece(chunk)]))  # type: ignore[arg-type]
    deltas.append(stretch.close())
    assert "".join(delta.content for delta in deltas) == text
    assert "".join(delta.reasoning for delta in deltas) == thought == stretch.reasoning


@behaviour("characters:cuts")
@given(said)
def test_the_arguments_of_a_call_in_halves_are_the_text(text: str) -> None:
    arguments = json.dumps({"code": f"print({text!r})"}, ensure_ascii=False)
    stretch = ReplySegment()
    calls: list[object] = []
    for unit in units(arguments):
        fragment = sent({"index": 0, "function": {"arguments": unit}})
        calls += stretch.receive([piece({"choices": [{"delta": {"tool_calls": [fragment]}}]})]).calls
    calls += stretch.close().calls
    call = called(calls)
    assert call is not None
    assert call.block == f"```python\nprint({text!r})\n```\n"
    assert all(
        whole(json.dumps(each, ensure_ascii=False)) == json.dumps(each, ensure_ascii=False) for each in calls
    )


@behaviour("characters:cuts")
def test_a_half_that_is_escaped_in_the_arguments_of_a_call_is_replaced() -> None:
    call = called(
        [
            {"index": 0, "function": {"arguments": r'{"code": "print(\"\ud83d'}},
            {"index": 0, "function": {"arguments": r'\")"}'}},
        ]
    )
    assert call is not None
    assert call.block == '```python\nprint("\ufffd")\n```\n'


@behaviour("characters:code")
@given(anything)
def test_code_is_whole_wherever_it_comes_from(text: str) -> None:
    assert Cell(text).source == whole(text)
    assert TypeAdapter[Any](Code).validate_python(text) == whole(text)
