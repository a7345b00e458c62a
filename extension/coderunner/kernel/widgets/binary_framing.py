"""What goes between widgets in a page and their models here: JSON with bytes beside it. Pure.

A frame is the length of its head (four bytes, the highest first), the head as JSON, and buffers, one after
the other, whose lengths are the head's `sizes`.
"""

import json
import struct
from collections.abc import Mapping, Sequence

from coderunner.text.json_reader import loads

_LENGTH = struct.Struct(">I")


def pack(head: Mapping[str, object], buffers: Sequence[bytes] = ()) -> bytes:
    """Return the frame of a head without `sizes`, and its buffers."""
    text = json.dumps({**head, "sizes": [len(each) for each in buffers]}, separators=(",", ":")).encode()
    return b"".join([_LENGTH.pack(len(text)), text, *buffers])


def unpack(frame: bytes) -> tuple[dict[str, object], list[bytes]] | None:
    """Return the head and the buffers of a frame; None where it is none."""
    if len(frame) < _LENGTH.size:
        return None
    at = _LENGTH.size + _LENGTH.unpack_from(frame)[0]
    try:
        head = loads(frame[_LENGTH.size : at])
    except ValueError:
        return None
    if not isinstance(head, dict):
        return None
    sizes = head.get("sizes")
    if not isinstance(sizes, list) or not all(type(size) is int and size >= 0 for size in sizes):
        return None
    if at + sum(sizes) != len(frame):
        return None
    buffers = []
    for size in sizes:
        buffers.append(frame[at : at + size])
        at += size
    return head, buffers
