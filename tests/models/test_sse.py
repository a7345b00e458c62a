import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.models.endpoint.sse import BOM, DONE, EventDecoder
from tests.behaviours import behaviour
from tests.models.cost import LINEAR, growth

ROUGH = (
    ": keep-alive\r\n\r\n"
    'event: message\r\nid: 1\r\ndata: {"text": "one"}\r\n\r\n'
    'data:{"text":"two\u2028\u0085 lines"}\n'
    'data: {"text": "ü"}\r\r'
    'data: {"text":\n'
    'data:  "four"}\n\n'
    "data: not json\n\n"
    'error: {"code": 500, "message": "slot"}\n\n'
    "retry: 3000\n"
    'event: error\ndata: "no room"\n\n'
    '{"json": "lines"}\n'
    'data: {"text": "a\ndata: b"}\n\n'
    "data: [DONE]"
)
READ = [
    {"text": "one"},
    {"text": "two\u2028\u0085 lines"},
    {"text": "ü"},
    {"text": "four"},
    "not json",
    {"error": {"code": 500, "message": "slot"}},
    {"error": "no room"},
    {"json": "lines"},
    {"text": "a\nb"},
    DONE,
]


def read(pieces: list[bytes]) -> list[object]:
    decoder = EventDecoder()
    events = [event for piece in pieces for event in decoder.receive(piece)]
    return events + decoder.close()


@behaviour("models:events:field")
def test_all_that_servers_of_the_field_send_is_read() -> None:
    assert read([ROUGH.encode()]) == READ


@behaviour("models:events:field")
@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n\r\n"])
def test_a_stream_may_end_anywhere_after_its_last_value(end: str) -> None:
    assert read([b'data: {"a": 1}\n\ndata: {"b": 2}' + end.encode()]) == [{"a": 1}, {"b": 2}]


@behaviour("models:events:cuts")
@given(st.sets(st.integers(0, len(ROUGH.encode()))))
def test_cutting_the_stream_anywhere_changes_nothing(cuts: set[int]) -> None:
    data = ROUGH.encode()
    places = [0, *sorted(cuts), len(data)]
    assert read([data[start:end] for start, end in pairwise(places)]) == READ


@behaviour("models:events:cuts")
@given(
    st.lists(st.dictionaries(st.text(), st.text(), min_size=1), max_size=5),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_was_written_is_read_byte_for_byte(events: list[dict[str, str]], line: str) -> None:
    written = "".join(f"data: {json.dumps(each, ensure_ascii=False)}{line}{line}" for each in events)
    assert read([bytes([each]) for each in written.encode("utf-8", "surrogatepass")]) == events


@behaviour("models:events:field")
@pytest.mark.parametrize("line", ["\n", "\r\n", "\r"])
@given(st.sets(st.integers(0, 40)))
def test_a_byte_order_mark_and_any_line_end_are_read_wherever_they_are_cut(line: str, cuts: set[int]) -> None:
    data = BOM + f': hello{line}{line}data:{{"a": 1}}{line}data: [DONE]{line}'.encode()
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    assert read([data[start:end] for start, end in pairwise(places)]) == [{"a": 1}, DONE]


@behaviour("models:events:lines")
@given(st.lists(st.dictionaries(st.text(), st.text(), min_size=1), max_size=5), st.booleans())
def test_json_lines_are_events(values: list[dict[str, str]], ended: bool) -> None:
    written = "\n".join([json.dumps(each) for each in values]) + ("\n" if ended else "")
    assert read([written.encode()]) == values


@behaviour("models:events:lines")
@pytest.mark.parametrize(
    "written",
    [
        '[{"a": 1}, {"b": 2}]',
        '[\n{"a": 1},\n{"b": 2}\n]\n',
        'data: [{"a": 1}, {"b": 2}]\n\n',
        '\x1e{"a": 1}\n\x1e{"b": 2}\n',
        'data: null\n\ndata: {"a": 1}\n\ndata: null\n\ndata: {"b": 2}\n\n',
    ],
)
def test_values_in_a_list_in_a_sequence_or_between_signs_of_life_are_events(written: str) -> None:
    assert read([written.encode()]) == [{"a": 1}, {"b": 2}]
    assert read([bytes([each]) for each in written.encode()]) == [{"a": 1}, {"b": 2}]


@behaviour("models:events:field")
@pytest.mark.parametrize("mark", ["data: [done]\n\n", "data:[Done]", "[DONE]\n", "\x1e[done]\n"])
def test_the_end_mark_is_one_however_it_is_written(mark: str) -> None:
    assert read([b'data: {"a": 1}\n\n' + mark.encode()]) == [{"a": 1}, DONE]


@behaviour("models:events:lines")
def test_one_value_over_many_lines_is_an_event() -> None:
    value = {"choices": [{"message": {"content": "all\n\nof it"}}], "list": [[1, 2], []]}
    assert read([json.dumps(value, indent=2).encode()]) == [value]


@behaviour("models:events:lines")
def test_what_is_no_event_is_kept_until_there_is_one() -> None:
    decoder = EventDecoder()
    assert decoder.receive(b"Internal\n\nServer Error\nid: 1\n") + decoder.close() == []
    assert decoder.stray == "Internal\nServer Error\n"
    decoder.receive(b"data: {}\n\n")
    assert decoder.stray == ""


@behaviour("models:events:field")
def test_a_number_of_any_length_is_one() -> None:
    (event,) = read([b'data: {"usage": ' + b"1" * 5000 + b"}\n\n"])
    assert event == {"usage": float("inf")}


SHAPES = {
    "one line": lambda size: b'data: "' + b"x" * size,
    "long data lines": lambda size: (b"data: " + b"x" * (size // 8) + b"\n") * 8,
    "short data lines": lambda size: b"data: [\n" * (size // 8),
    "comments": lambda size: b": x\n" * (size // 4),
    "empty lines": lambda size: b"\r\n" * (size // 2),
    "other lines": lambda size: b"{\n" * (size // 2),
    "compressed well": lambda size: b"\n" * size,
}


@behaviour("models:events:linear")
@pytest.mark.parametrize("shape", SHAPES)
def test_reading_costs_the_same_for_each_byte(shape: str) -> None:
    def work(size: int) -> object:
        data = SHAPES[shape](size)
        return read([data[start : start + 4096] for start in range(0, len(data), 4096)])

    assert growth(work, 200_000) < LINEAR


@behaviour("models:events:linear")
@pytest.mark.parametrize("shape", ["one line", "long data lines", "short data lines", "other lines"])
def test_an_event_has_a_largest_size(shape: str) -> None:
    decoder = EventDecoder(longest=100_000)
    data = SHAPES[shape](1_000_000)
    for start in range(0, len(data), 4096):
        decoder.receive(data[start : start + 4096])
    assert decoder.full
    assert decoder.receive(b"\n\ndata: {}\n\n") == []
