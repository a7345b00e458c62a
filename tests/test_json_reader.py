"""JSON of others: one bound on its depth, and nothing else raised than what says so."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coderunner.errors import UnreadableJSON
from coderunner.text.json_reader import DEPTH, LEFT_OUT, WHOLE, clipped, loads, too_deep
from tests.behaviours import behaviour

VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=3),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    return opening * depth + closing * depth


def depth_of(value: object) -> int:
    return next(depth for depth in range(100_000) if not too_deep(value, depth))


@behaviour("json:read:as-json")
@given(VALUES)
def test_what_is_not_deep_is_read_as_the_library_reads_it(value: object) -> None:
    text = json.dumps(value)
    assert loads(text) == loads(text.encode()) == loads("\ufeff" + text) == json.loads(text)
    assert loads(text.encode("utf-16")) == loads(text.encode("utf-8-sig")) == json.loads(text)


@behaviour("json:depth:bounded")
@pytest.mark.parametrize("depth", [WHOLE + 1, 1_000, 5_000, 60_000, 1_000_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_what_is_nested_too_deep_is_refused_in_a_sentence(depth: int, opening: str, closing: str) -> None:
    text = f"{opening * depth}1{closing * depth}"
    with pytest.raises(UnreadableJSON, match=f"nested more than {WHOLE} levels deep"):
        loads(text)


@behaviour("json:depth:bounded")
@pytest.mark.parametrize("text", ["[" * 60_000, '{"a":' * 60_000, "]" * 10, nested(DEPTH)[:-1], "", "{,}"])
@pytest.mark.parametrize("lenient", [True, False])
def test_what_is_no_json_is_refused_however_deep(text: str, lenient: bool) -> None:
    with pytest.raises(UnreadableJSON, match="it is "):
        loads(text, lenient=lenient)


@behaviour("json:depth:bounded")
def test_a_value_at_the_bound_is_read_whole() -> None:
    assert depth_of(loads(nested(WHOLE))) == WHOLE


@behaviour("json:depth:clipped")
@pytest.mark.parametrize("depth", [WHOLE + 1, 5_000, 100_000])
def test_where_nothing_may_be_lost_only_the_levels_below_the_bound_are_left_out(depth: int) -> None:
    text = '{"deep": ' + nested(depth) + ', "text": "[[\\"{", "after": [1, [2]]}'
    value = loads(text, lenient=True)
    assert isinstance(value, dict)
    assert depth_of(value) == WHOLE
    assert (value["text"], value["after"]) == ('[["{', [1, [2]])


@behaviour("json:depth:clipped")
@given(VALUES, some.integers(1, 4))
def test_clipping_a_value_changes_nothing_above_the_bound(value: object, depth: int) -> None:
    before = json.dumps(value)
    cut = clipped(value, depth)
    assert depth_of(cut) == min(depth_of(value), depth)
    assert json.dumps(value) == before, "the value itself is as it was"
    assert (cut is value) == (depth_of(value) <= depth)
    assert _same(cut, value)


def _same(cut: object, value: object) -> bool:
    if isinstance(cut, list) and isinstance(value, list):
        return len(cut) == len(value) and all(map(_same, cut, value))
    if isinstance(cut, dict) and isinstance(value, dict):
        return cut.keys() == value.keys() and all(_same(cut[key], value[key]) for key in value)
    return cut == value or (cut == LEFT_OUT and isinstance(value, list | dict))


@behaviour("json:numbers:bounded")
def test_a_number_of_very_many_digits_is_refused_in_a_sentence() -> None:
    with pytest.raises(UnreadableJSON, match="a number with too many digits"):
        loads(f"[{'9' * 5_000}]")


@behaviour("json:read:as-json")
def test_what_is_no_number_in_json_is_none() -> None:
    assert loads("[NaN, Infinity, -Infinity]") == [None, None, None]


@behaviour("json:read:as-json")
def test_bytes_that_are_no_text_are_refused_without_being_told() -> None:
    with pytest.raises(UnreadableJSON, match="not in UTF-8") as raised:
        loads(b'{"token": "secret\xff"}')
    assert raised.value.__cause__ is None
    assert "secret" not in str(raised.value)
    assert loads(b'["a\xff"]', lenient=True) == ["a\ufffd"]
