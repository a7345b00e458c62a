"""Chunks of one shape are read faster, and say what they say."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.models.endpoint.chunks import piece
from coderunner.models.endpoint.repeated_chunks import WORTH, TextChunk
from coderunner.models.endpoint.sse import Chunk, EventDecoder
from tests.behaviours import behaviour

WORDS = st.text(max_size=12)
EXTRAS = st.sampled_from(
    [{}, {"finish_reason": None}, {"logprobs": None}, {"finish_reason": "stop"}, {"delta": {"content": None}}]
)
FIELDS = st.sampled_from(
    [
        {},
        {"created": 7, "model": "m"},
        {"usage": None},
        {"usage": {"prompt_tokens": 1, "completion_tokens": 2}},
        {"id": "content"},
        {"object": '"delta": {"content": "word"}'},
        {"error": {"message": "out of memory"}},
    ]
)


def chunk(text: str, **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": text}}
    return {"id": "1", "object": "chat.completion.chunk", "choices": [choice], **fields}


def stream(*chunks: Any, **written: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(each, **written).encode() + b"\n\n" for each in chunks)


def read(data: bytes) -> list[object]:
    decoder = EventDecoder()
    return [*decoder.receive(data), *decoder.close()]


@behaviour("models:events:repeated")
@given(
    st.lists(st.tuples(WORDS, EXTRAS, FIELDS), max_size=12),
    st.booleans(),
    st.sampled_from([None, (",", ":")]),
)
def test_whatever_is_repeated_each_chunk_is_read_as_by_itself(
    said: list[tuple[str, dict[str, Any], dict[str, Any]]], ascii_only: bool, separators: Any
) -> None:
    chunks = []
    for text, extra, fields in said:
        each = chunk(text, **fields)
        each["choices"][0] |= extra
        chunks.append(each)
    data = stream(*chunks, ensure_ascii=ascii_only, separators=separators).decode("utf-8", "replace").encode()
    alone = [event for line in data.splitlines(keepends=True) for event in read(line + b"\n")]
    found = read(data)
    assert found == alone
    for ours, its in zip(found, alone, strict=True):
        if isinstance(ours, dict) and isinstance(its, dict):
            assert piece(ours) == piece({**its})


@behaviour("models:events:repeated")
@pytest.mark.parametrize("text", ["word", " word", "ф", "content", "delta", "1", ""])
def test_a_chunk_of_a_known_shape_is_not_read_again(text: str) -> None:
    first, second = read(stream(chunk("word"), chunk(text), ensure_ascii=False))
    assert type(first) is dict
    assert isinstance(second, TextChunk)
    assert (second.text, second) == (text, chunk(text))


@behaviour("models:events:repeated")
@pytest.mark.parametrize(
    "other",
    [
        chunk('a"b'),
        chunk("a\nb"),
        chunk("a\\b"),
        {"error": {"message": "out of memory"}},
        chunk("b", usage={"prompt_tokens": 1, "completion_tokens": 2}),
        {"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]},
        {"choices": [{"delta": {"content": "a", "reasoning_content": "b"}}]},
    ],
)
def test_any_other_chunk_is_read_whole(other: Chunk) -> None:
    found = read(stream(chunk("word"), other, chunk("word")))
    assert found == [chunk("word"), other, chunk("word")]
    assert type(found[1]) is dict


@behaviour("models:events:repeated")
def test_a_shape_that_changes_now_and_then_is_found_again_and_one_that_always_does_is_not_looked_for() -> (
    None
):
    seconds = [chunk("word", created=at // (2 * WORTH)) for at in range(40 * WORTH)]
    found = read(stream(*seconds))
    assert found == seconds
    assert sum(isinstance(each, TextChunk) for each in found) == len(seconds) - 20
    always = [chunk("word", obfuscation=f"x{at}") for at in range(40)]
    assert read(stream(*always)) == always
