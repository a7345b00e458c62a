"""What reading a model's stream costs: milliseconds of processor time for 8 MB, and the most memory it takes.

    python bench/streams.py

The bar: linear, and at most 0.1 s for 8 MB however they are cut, where they are one event. Beside it stands
httpx2's decoder for server-sent events, with the same JSON read from what it gives; it reads the standard
alone, and no JSON lines.
"""

import json
import time
import tracemalloc
from collections.abc import Callable

from httpx2._sse import _SSEEventDecoder, _SSELineDecoder

from coderunner.models.continuation.reply_segment import ReplySegment
from coderunner.models.endpoint.chunks import piece
from coderunner.models.endpoint.sse import EventDecoder

SIZE = 8_000_000
CUT = 4096
CHUNK = {"choices": [{"index": 0, "delta": {"content": "four"}, "finish_reason": None}]}
TOKEN = b"data: " + json.dumps(CHUNK).encode() + b"\n\n"
LONG = (
    b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": "x = 1\n" * 1_000_000}}]}).encode()
)

STREAMS = {
    "tokens": TOKEN * (SIZE // len(TOKEN)),
    "one delta of a million lines": LONG + b"\n\n",
    "no line end": b"data: " + b"x" * SIZE,
    "lines of 1 MB, one event": (b"data: " + b"x" * 1_000_000 + b"\n") * 8 + b"\n",
    "lines of 1 kB, one event": (b"data: " + b"x" * 1_000 + b"\n") * 8_000 + b"\n",
    "empty lines": b"\r\n" * (SIZE // 2),
    "comments": b": x\n" * (SIZE // 4),
}


def ours(stream: bytes) -> None:
    decoder, stretch = EventDecoder(), ReplySegment()
    for start in range(0, len(stream), CUT):
        events = decoder.receive(stream[start : start + CUT])
        stretch.receive([piece(event) for event in events if isinstance(event, dict)])
    decoder.close()


def theirs(stream: bytes) -> None:
    lines, events = _SSELineDecoder(), _SSEEventDecoder()
    for start in range(0, len(stream), CUT):
        for line in lines.decode(stream[start : start + CUT].decode()):
            if (event := events.decode(line)) is not None:
                try:
                    json.loads(event.data)
                except ValueError:
                    continue


def cost(way: Callable[[bytes], None], stream: bytes) -> tuple[float, float]:
    """Milliseconds, the least of three; megabytes at most."""
    times = []
    for _ in range(3):
        began = time.process_time()
        way(stream)
        times.append(time.process_time() - began)
    tracemalloc.start()
    way(stream[:SIZE])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return min(times) * 1e3, most / 1e6


def main() -> None:
    print(f"{'':32}{'ours':>10}{'memory':>10}{'httpx2':>10}{'memory':>10}")
    for name, stream in STREAMS.items():
        (time_ours, most_ours), (time_theirs, most_theirs) = cost(ours, stream), cost(theirs, stream)
        print(f"{name:32}{time_ours:7.0f} ms{most_ours:7.0f} MB{time_theirs:7.0f} ms{most_theirs:7.0f} MB")


if __name__ == "__main__":
    main()
