"""Server-sent events as OpenAI-compatible servers write them: bytes in, JSON values out. Pure.

The standard joins several `data:` lines to one event at the next empty line. Servers in the field forget
the empty line, the last newline or the `[DONE]`, mix line ends, send comments to keep a connection alive
and (llama.cpp before 2025) put errors into a field of their own; all of that is read.
"""

import json

DONE = "[DONE]"

LONGEST = 32 * 1024 * 1024
"""Bytes of an event: a picture, or a minute of sound. More is no event that we want."""
LINES = 1000
"""Lines of an event: a piece of JSON that was printed for people has a hundred."""


class EventDecoder:
    """Cuts a stream of bytes into events; cutting the stream elsewhere changes nothing."""

    def __init__(self) -> None:
        self._bytes = b""
        self._data: list[str] = []

    @property
    def full(self) -> bool:
        """Whether an event is longer than any is, and its end not in sight."""
        return len(self._bytes) > LONGEST or len(self._data) > LINES

    def receive(self, data: bytes) -> list[object]:
        """Give the events that are complete now: JSON values, `[DONE]`, or the text of what is no JSON."""
        # A "\r" at the very end may be half of a "\r\n"; it waits for the next bytes.
        # Only these two end a line: str.splitlines would also cut at U+2028 inside JSON texts.
        joined = (self._bytes + data).replace(b"\r\n", b"\n")
        held = b"\r" if joined.endswith(b"\r") else b""
        *lines, rest = joined.removesuffix(held).replace(b"\r", b"\n").split(b"\n")
        self._bytes = rest + held
        events: list[object] = []
        for line in lines:
            if len(self._data) > LINES:
                break
            events += self._line(line.decode("utf-8", "replace"))
        return events

    def close(self) -> list[object]:
        """Give what stands in the last line, which has no line end."""
        last, self._bytes = self._bytes.rstrip(b"\r"), b""
        return [*self._line(last.decode("utf-8", "replace")), *self._flush()]

    def _line(self, line: str) -> list[object]:
        if not line:
            return self._flush()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "error":
            return [*self._flush(), {"error": _loaded(value)}]
        if name != "data":
            return []  # a comment (empty name), `event`, `id`, `retry`
        self._data.append(value)
        event = _loaded("\n".join(self._data))
        if isinstance(event, str) and event != DONE:
            return []  # the rest of it may stand in the next `data:` line
        self._data = []
        return [event]

    def _flush(self) -> list[object]:
        payload, self._data = "\n".join(self._data), []
        return [payload] if payload.strip() else []


def _loaded(text: str) -> object:
    """Give the JSON value, or the text itself where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
