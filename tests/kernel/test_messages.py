"""The three ways in which messages travel, and that garbage on them does no harm."""

import json
import struct
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_client.session import Session as JupyterSession
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_binary_message,
    serialize_msg_to_ws_v1,
)

from coderunner.kernel.protocol.messages import (
    CHANNELS,
    Message,
    Stamp,
    comm_msg,
    execute_request,
    from_json,
    from_v1,
    from_zmq,
    input_reply,
    kernel_info_request,
    sign,
    to_json,
    to_v1,
    to_zmq,
)
from coderunner.secret_value import Secret
from coderunner.text.json_reader import WHOLE, too_deep
from tests.behaviours import behaviour

KEY = b"a key"
STAMP = Stamp("request-1", "session-1", "2026-01-02T03:04:05+00:00")
REPLY = Message(
    "iopub",
    "stream",
    "message-1",
    "request-1",
    {"name": "stdout", "text": "Grüße 👋\n"},
    {"a": 1},
    (b"\x00\x01", b""),
    "session-1",
    "2026-01-02T03:04:05+00:00",
)

texts = st.text(max_size=20)
objects = st.dictionaries(texts, texts | st.integers() | st.none() | st.lists(texts), max_size=4)
messages = st.builds(
    Message,
    st.sampled_from(CHANNELS),
    st.text(min_size=1, max_size=20),
    texts,
    texts,
    objects,
    objects,
    st.lists(st.binary(max_size=30), max_size=3).map(tuple),
    texts,
    texts,
)


@behaviour("messages:wire:round-trip")
@given(messages)
def test_a_message_comes_back_from_zeromq_as_it_went(message: Message) -> None:
    assert from_zmq([b"some route", *to_zmq(message, KEY)], KEY, message.channel) == message


@behaviour("messages:wire:round-trip")
@given(messages)
def test_a_message_comes_back_from_the_v1_websocket_as_it_went(message: Message) -> None:
    assert from_v1(to_v1(message)) == message


@behaviour("messages:wire:jupyter")
def test_jupyter_client_reads_what_we_sign_and_send() -> None:
    theirs = JupyterSession(key=KEY)
    _, frames = theirs.feed_identities(to_zmq(execute_request("1 + 1", STAMP), KEY))
    message = theirs.deserialize(frames)
    assert (message["msg_type"], message["content"]["code"]) == ("execute_request", "1 + 1")


@behaviour("messages:wire:jupyter")
def test_we_read_what_jupyter_client_signs_and_sends() -> None:
    theirs = JupyterSession(key=KEY)
    sent = theirs.msg("status", {"execution_state": "idle"}, parent={"header": {"msg_id": "request-1"}})
    message = from_zmq(theirs.serialize(sent), KEY, "iopub")
    assert message is not None
    assert (message.type, message.parent, message.content) == (
        "status",
        "request-1",
        {"execution_state": "idle"},
    )


@behaviour("messages:wire:jupyter")
def test_jupyter_server_reads_our_v1_frames() -> None:
    channel, parts = deserialize_msg_from_ws_v1(to_v1(execute_request("1 + 1", STAMP)))
    assert channel == "shell"
    assert [json.loads(part) for part in parts][3]["code"] == "1 + 1"


@behaviour("messages:wire:jupyter")
def test_we_read_jupyter_servers_v1_frames() -> None:
    parts = [b'{"msg_type": "status", "msg_id": "m"}', b'{"msg_id": "r"}', b"{}", b'{"a": 1}']
    assert from_v1(serialize_msg_to_ws_v1(parts, "iopub")) == Message("iopub", "status", "m", "r", {"a": 1})


@behaviour("messages:wire:jupyter")
def test_we_read_jupyter_servers_default_frames_text_and_binary() -> None:
    whole: dict[str, Any] = {
        "channel": "iopub",
        "header": {"msg_type": "display_data", "msg_id": "m"},
        "parent_header": {"msg_id": "r"},
        "metadata": {},
        "content": {"a": 1},
    }
    plain = Message("iopub", "display_data", "m", "r", {"a": 1})
    dated = whole | {"header": whole["header"] | {"date": "2026-01-02T03:04:05Z"}}
    assert from_json(json.dumps(whole)) == plain
    assert from_json(serialize_binary_message(dated | {"buffers": [b"xy", b""]})) == Message(
        "iopub", "display_data", "m", "r", {"a": 1}, {}, (b"xy", b""), date="2026-01-02T03:04:05Z"
    )


@behaviour("messages:wire:round-trip")
def test_a_request_comes_back_from_the_default_websocket_as_it_went() -> None:
    for request in (execute_request("x = 'ä'", STAMP), kernel_info_request(STAMP)):
        assert from_json(to_json(request)) == request
    parcel = comm_msg("c", {"method": "update"}, [b"\x00xy", b"", b"z"], STAMP)
    for back in (from_json(to_json(parcel)), from_v1(to_v1(parcel))):
        assert back == parcel


@behaviour("messages:garbage:ignored")
@given(st.binary(max_size=200), st.text(max_size=100))
def test_bytes_that_are_no_message_are_none(data: bytes, text: str) -> None:
    assert from_v1(data) is None
    assert from_json(data) is None
    assert from_json(text) is None
    assert from_zmq([b"<IDS|MSG>", b"", data, data, data, data], b"", "shell") is None
    assert from_zmq([data], b"", "shell") is None


@behaviour("messages:garbage:ignored")
@given(st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_a_damaged_frame_never_raises(place: int, damage: bytes) -> None:
    frame = bytearray(to_v1(REPLY))
    frame[place : place + len(damage)] = damage
    assert from_v1(bytes(frame)) is None or from_v1(bytes(frame)) is not None


@behaviour("messages:garbage:ignored")
@pytest.mark.parametrize(
    "frame",
    [
        struct.pack("<Q", 2**63),
        struct.pack("<3Q", 2, 24, 2**40),
        struct.pack("<3Q", 2, 0, 8),
        b"",
        b'{"channel": "iopub", "header": [], "parent_header": 3, "metadata": null, "content": {}}',
        b'{"channel": "evil", "header": {"msg_type": "status"}, "content": {}}',
        b'{"channel": "iopub", "header": {"msg_type": 5}, "content": {}}',
        b"[" * 100_000,
    ],
)
def test_a_hostile_frame_is_none(frame: bytes) -> None:
    assert from_v1(frame) is None
    assert from_json(frame) is None
    assert from_json(frame.decode("latin-1")) is None


@behaviour("messages:garbage:signature")
def test_a_message_with_a_wrong_signature_is_none() -> None:
    frames = to_zmq(REPLY, KEY)
    assert from_zmq(frames, b"another key", "iopub") is None
    assert from_zmq([*frames[:-3], b'{"a": 2}', *frames[-2:]], KEY, "iopub") is None


def of_content(content: bytes) -> Message:
    parts = [b'{"msg_type": "display_data"}', b'{"msg_id": "1"}', b"{}", content]
    message = from_v1(serialize_msg_to_ws_v1(parts, "iopub"))
    assert message is not None
    assert from_zmq([b"<IDS|MSG>", sign(parts, KEY), *parts], KEY, "iopub") == message
    return message


@behaviour("messages:garbage:fault")
@pytest.mark.parametrize("content", [b"{", b"", b"[]", b"3", b"\xff\xfe\xfd", b"[" * 100_000, b'{"a": 1}}'])
def test_content_that_cannot_be_read_leaves_a_message_that_says_why(content: bytes) -> None:
    message = of_content(content)
    assert (message.type, message.parent, message.content) == ("display_data", "1", {})
    assert "it is" in message.fault


@behaviour("messages:garbage:fault")
@pytest.mark.parametrize(
    ("content", "read"),
    [
        (b'{"a": "\\ud83d", "b": "\\ud83e\\udd8a"}', {"a": "\ufffd", "b": "🦊"}),
        (b'{"a": 1e999}', {"a": "1e999"}),
        (b'{"a": ' + b"9" * 5000 + b"}", {"a": "9" * 5000}),
        (b'{"a": "\xff"}', {"a": "\ufffd"}),
    ],
)
def test_of_content_that_is_hard_to_read_as_much_is_read_as_can_be(
    content: bytes, read: Mapping[str, object]
) -> None:
    assert of_content(content).content == read


@behaviour("messages:garbage:fault")
def test_of_content_that_is_nested_too_deeply_the_innermost_is_left_out() -> None:
    message = of_content(b'{"data": ' + b"[" * 5000 + b"]" * 5000 + b"}")
    assert message.fault == ""
    assert not too_deep(message.content, WHOLE)


@behaviour("messages:garbage:not-json-numbers")
def test_numbers_that_json_has_not_become_null() -> None:
    parts = [b'{"msg_type": "stream"}', b"{}", b"{}", b'{"a": [NaN, Infinity, 1.5]}']
    message = from_v1(serialize_msg_to_ws_v1(parts, "iopub"))
    assert message is not None
    assert message.content == {"a": [None, None, 1.5]}


@behaviour("messages:execute:unattended")
def test_a_cell_may_not_ask_on_stdin_and_does_not_flush_the_queue() -> None:
    assert dict(execute_request("x", STAMP).content) == {
        "code": "x",
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": False,
    }


@behaviour("messages:answer:secret")
def test_an_answer_is_laid_open_only_in_what_is_sent() -> None:
    answer = input_reply(Secret("canary"), STAMP)
    assert "canary" not in repr(answer)
    assert from_json(to_json(answer)) == replace(answer, content={"value": "canary"})
    assert (answer.channel, answer.type) == ("stdin", "input_reply")


@behaviour("messages:answer:secret")
def test_a_cell_may_ask_where_somebody_can_answer() -> None:
    assert execute_request("x", STAMP, asks=True).content["allow_stdin"] is True
