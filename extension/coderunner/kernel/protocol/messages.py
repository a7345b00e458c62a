"""Jupyter messages as values, and the three ways in which they travel.

Pure: nothing here opens, waits or reads a clock. Whatever comes from a kernel is untrusted: a parser gives
None for what is no message and never raises.

Sources: the Jupyter messaging protocol 5.4 (headers, signatures, the ZeroMQ wire format) and Jupyter Server's
"WebSocket kernel wire protocols" (the default one and `v1.kernel.websocket.jupyter.org`).
"""

import hashlib
import hmac
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

from coderunner.secret_value import Secret
from coderunner.text import surrogates
from coderunner.text.json_reader import loads

Channel = Literal["shell", "iopub", "control", "stdin"]
CHANNELS: tuple[Channel, ...] = ("shell", "iopub", "control", "stdin")

SUBPROTOCOL = "v1.kernel.websocket.jupyter.org"
PROTOCOL_VERSION = "5.3"
DELIMITER = b"<IDS|MSG>"
PARTS = 4  # header, parent header, metadata, content

Json = Mapping[str, object]

SHOWS = frozenset(
    {"stream", "display_data", "update_display_data", "execute_result", "error", "clear_output"}
)
"""Types of the messages on iopub by which a program shows something."""


@dataclass(frozen=True, slots=True)
class Message:
    """One Jupyter message.

    `parent` is the id of the request that it answers, empty where there is none. `content` and `metadata` are
    JSON objects whose values nobody has checked.
    """

    channel: Channel
    type: str
    id: str = ""
    parent: str = ""
    content: Json = field(default_factory=dict)
    metadata: Json = field(default_factory=dict)
    buffers: tuple[bytes, ...] = ()
    session: str = ""
    date: str = ""
    fault: str = ""
    """Why its content could not be read, which is then empty."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What makes a request of ours one of a kind; its maker has the clock and the dice."""

    id: str
    session: str
    date: str
    """ISO 8601, with a time zone."""


def execute_request(source: str, stamp: Stamp, *, silent: bool = False, asks: bool = False) -> Message:
    """Ask for a cell to be run.

    Unless it `asks`, nothing is asked on stdin: `input()` raises at once in place of waiting for ever.
    `stop_on_error` is off because with it the next request comes back as `aborted`, without having run,
    whenever this one is interrupted.
    """
    content = {
        "code": source,
        "silent": silent,
        "store_history": not silent,
        "user_expressions": {},
        "allow_stdin": asks,
        "stop_on_error": False,
    }
    return _message_of_ours("shell", "execute_request", stamp, content)


def input_reply(line: Secret, stamp: Stamp) -> Message:
    """Answer what a program asks; the line is laid open only in the bytes that are sent."""
    return _message_of_ours("stdin", "input_reply", stamp, {"value": line})


def kernel_info_request(stamp: Stamp, channel: Channel = "shell") -> Message:
    """Ask the kernel who it is; on shell, it is also what makes an interrupt reach an awaiting cell.

    On control it is answered while a cell runs.
    """
    return _message_of_ours(channel, "kernel_info_request", stamp, {})


def comm_msg(comm: str, data: Json, buffers: Sequence[bytes], stamp: Stamp) -> Message:
    """Say something to what a program has at the other end of a comm."""
    content = {"comm_id": comm, "data": data}
    return replace(_message_of_ours("shell", "comm_msg", stamp, content), buffers=tuple(buffers))


def comm_open(comm: str, target: str, stamp: Stamp) -> Message:
    """Open a comm to what a program has registered under a target's name."""
    content = {"comm_id": comm, "target_name": target, "data": {}}
    return _message_of_ours("shell", "comm_open", stamp, content)


def comm_info_request(target: str, stamp: Stamp) -> Message:
    """Ask which comms of that target's name there are."""
    return _message_of_ours("shell", "comm_info_request", stamp, {"target_name": target})


MODULE_REPLY = "coderunner_module_reply"


def module_request(name: str, stamp: Stamp) -> Message:
    """Ask a kernel that has our prelude for a program of its widgets, also while a cell runs."""
    return _message_of_ours("control", "coderunner_module_request", stamp, {"name": name})


def _message_of_ours(channel: Channel, kind: str, stamp: Stamp, content: Json) -> Message:
    return Message(channel, kind, stamp.id, content=content, session=stamp.session, date=stamp.date)


# --- JSON parts -----------------------------------------------------------------------------------


NOTHING = b"{}"
"""A JSON object without anything in it, as most parts of most messages are."""


def _pack(value: Json) -> bytes:
    if not value:
        return NOTHING
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=Secret.reveal)
    return surrogates.whole(written).encode()


Part = Mapping[str, object] | str
"""A JSON object of a message, or why it is none."""


def _unpack(data: bytes) -> Part:
    """Read one part; of what is nested too deeply the innermost is left out."""
    if data == NOTHING:
        return {}
    try:
        value = loads(data, lenient=True)
    except ValueError as error:
        return str(error)
    return value if isinstance(value, dict) else "it is not a JSON object"


def _header(message: Message) -> dict[str, object]:
    return {
        "msg_id": message.id,
        "msg_type": message.type,
        "session": message.session,
        "username": "coderunner",
        "date": message.date,
        "version": PROTOCOL_VERSION,
    }


def _packed_parts(message: Message) -> list[bytes]:
    parent: Json = {"msg_id": message.parent} if message.parent else {}
    return [_pack(part) for part in (_header(message), parent, message.metadata, message.content)]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _message(channel: object, parts: Sequence[Part], buffers: tuple[bytes, ...]) -> Message | None:
    if channel not in CHANNELS or len(parts) != PARTS:
        return None
    header, parent, metadata, content = (_object(part) for part in parts)
    if not _text(header.get("msg_type")):
        return None
    fault = parts[-1]
    return Message(
        channel,
        _text(header["msg_type"]),
        _text(header.get("msg_id")),
        _text(parent.get("msg_id")),
        content,
        metadata,
        buffers,
        _text(header.get("session")),
        _text(header.get("date")),
        fault if isinstance(fault, str) else "",
    )


def _object(part: Part) -> Json:
    return {} if isinstance(part, str) else part


# --- ZeroMQ ---------------------------------------------------------------------------------------


def sign(parts: Sequence[bytes], key: bytes) -> bytes:
    """Give the signature of a message's four JSON parts: HMAC-SHA256 in hexadecimal, empty without a key."""
    if not key:
        return b""
    digest = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        digest.update(part)
    return digest.hexdigest().encode("ascii")


def to_zmq(message: Message, key: bytes) -> list[bytes]:
    """Return the frames of a message as a client's socket sends them."""
    parts = _packed_parts(message)
    return [DELIMITER, sign(parts, key), *parts, *message.buffers]


def from_zmq(frames: Sequence[bytes], key: bytes, channel: Channel) -> Message | None:
    """Read the frames of one message; None where they are none, or where the signature is wrong."""
    try:
        start = frames.index(DELIMITER) + 1
    except ValueError:
        return None
    signature, parts = frames[start : start + 1], frames[start + 1 : start + 1 + PARTS]
    if len(parts) != PARTS or not hmac.compare_digest(signature[0], sign(parts, key)):
        return None
    return _message(channel, [_unpack(part) for part in parts], tuple(frames[start + 1 + PARTS :]))


# --- WebSocket, v1 --------------------------------------------------------------------------------


def to_v1(message: Message) -> bytes:
    """Return one binary WebSocket frame of the protocol `v1.kernel.websocket.jupyter.org`.

    A table of little-endian 64-bit numbers stands first: how many offsets there are, then where each part
    begins and, last, where the whole ends.
    """
    parts = [message.channel.encode("ascii"), *_packed_parts(message), *message.buffers]
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return b"".join([struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets), *parts])


def from_v1(frame: bytes) -> Message | None:
    """Read one binary WebSocket frame of the protocol v1; None where it is none."""
    parts = _cut(frame, "<Q", ends=True)
    if parts is None or len(parts) < 1 + PARTS:
        return None
    channel = bytes(parts[0]).decode("ascii", "replace")
    return _message(channel, [_unpack(part) for part in parts[1 : 1 + PARTS]], tuple(parts[1 + PARTS :]))


def _cut(frame: bytes, number: str, *, ends: bool) -> list[bytes] | None:
    """Cut a frame by the offset table at its start; with `ends`, its last number is the frame's end."""
    size = struct.calcsize(number)
    if len(frame) < size:
        return None
    (count,) = struct.unpack_from(number, frame)
    if not 0 < count <= len(frame) // size - 1:
        return None
    offsets = list(struct.unpack_from(f"{number[0]}{count}{number[1]}", frame, size))
    if not ends:
        offsets.append(len(frame))
    if offsets != sorted(offsets) or offsets[0] < size * (count + 1) or offsets[-1] > len(frame):
        return None
    return [frame[start:end] for start, end in pairwise(offsets)]


# --- WebSocket, default ---------------------------------------------------------------------------


def to_json(message: Message) -> str | bytes:
    """Return one WebSocket frame of the default protocol: text, or bytes where the message has buffers."""
    parent: Json = {"msg_id": message.parent} if message.parent else {}
    whole: Json = {
        "channel": message.channel,
        "header": _header(message),
        "parent_header": parent,
        "metadata": message.metadata,
        "content": message.content,
        "buffers": [],
    }
    text = _pack(whole)
    return _joined([text, *message.buffers]) if message.buffers else text.decode("utf-8")


def _joined(parts: Sequence[bytes]) -> bytes:
    """Put parts behind a table of big-endian 32-bit numbers: how many there are, and where each begins."""
    offsets = [4 * (len(parts) + 1)]
    for part in parts[:-1]:
        offsets.append(offsets[-1] + len(part))
    return b"".join([struct.pack(f">{len(parts) + 1}I", len(parts), *offsets), *parts])


def from_json(frame: str | bytes) -> Message | None:
    """Read one frame of the default protocol; None where it is none.

    It is text, or binary with big-endian 32-bit offsets in front where the message has buffers.
    """
    buffers: tuple[bytes, ...] = ()
    if isinstance(frame, bytes):
        parts = _cut(frame, ">I", ends=False)
        if not parts:
            return None
        frame, buffers = parts[0], tuple(parts[1:])
    whole = _unpack(surrogates.whole(frame).encode() if isinstance(frame, str) else frame)
    if isinstance(whole, str):
        return None
    names = ("header", "parent_header", "metadata", "content")
    read: list[Part] = [
        value if isinstance(value := whole.get(name), dict) else "it is not a JSON object" for name in names
    ]
    return _message(whole.get("channel"), read, buffers)
