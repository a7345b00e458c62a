import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.models.events import DONE, EventDecoder
from tests.behaviours import behaviour

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
    "data: [DONE]"
)
READ = [
    {"text": "one"},
    {"text": "two\u2028\u0085 lines"},
    {"text": "ü"},
    {"text": "four"},
    "not json",
    {"error": {"code": 500, "message": "slot"}},
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
