"""The stream of a reply as OpenAI-compatible servers write it: bytes in, JSON values out. Pure.

Server-sent events, whatever the header calls them: the standard joins several `data:` lines to one event at
the next empty line. Servers in the field forget the empty line, the last newline or the `[DONE]`, mix line
ends, begin with a byte order mark, send comments to keep a connection alive and (llama.cpp before 2025) put
errors into a field of their own. Others write JSON lines, or one JSON value over many lines, or an error in
plain words. All of that is read here, which libraries for the standard do not do.
"""

import json
from collections.abc import Mapping

from coderunner.models.endpoint.repeated_chunks import RepeatedChunks, TextChunk
from coderunner.text.json_reader import WHOLE, too_deep

Chunk = Mapping[str, object]
"""One `chat.completion.chunk` as it came; unknown fields are kept."""

DONE = "[DONE]"
_DONE = DONE.encode()

LONGEST = 16 * 1024 * 1024
"""Bytes of an event: a picture, or a minute of sound. More is no event that we want."""

SLICE = 65_536
"""Bytes that are cut into lines at once: a compressed stream may become large in one piece."""

BOM = b"\xef\xbb\xbf"
SEPARATOR = b"\x1e"
"""Begins each value of a JSON text sequence (RFC 7464)."""
COLON = ord(":")
"""Begins a comment."""
WORDLESS = "an error without a message"
SILENT = frozenset({b"", b"id", b"retry"})
"""Fields that say nothing to us, a comment among them."""

_decode = json.JSONDecoder(strict=False).decode
"""Takes line ends and tabs within a text as they are: some servers do not escape them."""


class EventDecoder:
    """Cuts a stream of bytes into events; cutting the stream elsewhere changes nothing.

    Its cost is linear in the bytes, and it keeps no more of them than those of one event, of which the
    `longest` has so many.
    """

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._rest = bytearray()
        self._after_return = False
        self._at_start = True
        self._name = b""
        self._data: bytearray | None = None
        self._stray = bytearray()
        self._repeated = RepeatedChunks(_loaded)

    @property
    def full(self) -> bool:
        """Whether an event is longer than any is, and its end not in sight."""
        return len(self._rest) + len(self._data or b"") + len(self._stray) > self._longest

    @property
    def stray(self) -> str:
        """What came since the last event and is part of none: a web page, or an error in plain words."""
        return self._stray.decode("utf-8", "replace")

    def receive(self, data: bytes) -> list[object]:
        """Return the events that are complete now: JSON values, `[DONE]`, or the text of what is no JSON."""
        events: list[object] = []
        for start in range(0, len(data), SLICE):
            if self.full:
                break
            for line in self._lines(data[start : start + SLICE]):
                # What says nothing may come a million times: it is passed over before anything is called.
                if line and line[0] != COLON:
                    events += self._line(line)
                elif not line and (self._data is not None or self._name):
                    events += self._flush()
        return events

    def close(self) -> list[object]:
        """Return what stands in the last line, which has no line end, and a value that took all lines."""
        last = self._without_mark(bytes(self._rest))
        self._rest.clear()
        events = [*self._line(last), *self._flush()]
        if not events and self._stray and not isinstance(value := _loaded(bytes(self._stray)), str):
            return self._event(value)
        return events

    def _lines(self, data: bytes) -> list[bytes]:
        """Return the lines that are complete now. Only CR, LF and both end one, as the standard says."""
        if self._after_return:
            data = data.removeprefix(b"\n")
        self._after_return = data.endswith(b"\r") if data else self._after_return
        first, *lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest += first
        if not lines:
            return []
        lines = [self._without_mark(bytes(self._rest)), *lines]
        self._rest = bytearray(lines.pop())
        self._at_start = False
        return lines

    def _without_mark(self, line: bytes) -> bytes:
        return line.removeprefix(BOM) if self._at_start else line

    def _line(self, line: bytes) -> list[object]:
        if not line:
            return self._flush()
        if line.startswith(b"data:"):
            return self._datum(line[6:] if line[5:6] == b" " else line[5:])
        name, colon, value = line.partition(b":")
        if name == b"error" and colon:
            return [*self._flush(), {"error": _loaded(value)}]
        if name == b"event":
            self._name = value.strip()
        elif name not in SILENT or not colon:
            return self._astray(line)
        return []

    def _datum(self, value: bytes) -> list[object]:
        if self._data is None and not self._name and (chunk := self._repeated.chunk(value)) is not None:
            self._stray.clear()
            return [chunk]
        if value.strip().upper() == _DONE:
            return [*self._flush(), DONE]
        if self._data is not None:
            # The whole is read at its end: at each line it would cost the square of them.
            self._data += b"\n" + value
            return []
        event = _loaded(value)
        if isinstance(event, str):  # the rest of it may stand in the next `data:` line
            self._data = bytearray(value)
            return []
        self._repeated.learn(value, event)
        return self._event(event)

    def _flush(self) -> list[object]:
        data, self._data = self._data, None
        if data and data.strip():
            events = self._event(_loaded(bytes(data)))
        else:  # an error may come without a word
            events = self._event(None) if self._name == b"error" else []
        self._name = b""
        return events

    def _event(self, event: object) -> list[object]:
        self._stray.clear()
        told = isinstance(event, dict) and event.get("error")
        name, self._name = self._name, b""
        if name == b"error" and not told:
            return [{"error": event or WORDLESS}]
        if event is None:
            return []  # a sign of life
        # Some put all that they have to say into a list, an error as well (Gemini).
        whole = isinstance(event, list) and event and all(isinstance(each, dict) for each in event)
        return list(event) if whole else [event]  # type: ignore[call-overload]

    def _astray(self, line: bytes) -> list[object]:
        """Take a line that is no field: one of JSON lines, or a piece of something else."""
        line = line.removeprefix(SEPARATOR)
        if not self._stray:
            if line.strip().upper() == _DONE:
                return [DONE]
            if line.lstrip()[:1] in (b"{", b"[") and not isinstance(event := _loaded(line), str):
                return self._event(event)
        self._stray += line + b"\n"
        return []


def _loaded(data: bytes) -> object:
    """Return the JSON value, or the text itself where it is none, or is nested as no value of a model is."""
    text = data.decode("utf-8", "replace")
    try:
        value: object = _decode(text)
    except (json.JSONDecodeError, RecursionError):
        return text
    except ValueError:  # a number of more digits than Python turns into an integer
        value = json.loads(text, parse_int=float, strict=False)
    few = text.count("[") + text.count("{") <= WHOLE
    return value if few or not too_deep(value, WHOLE) else text


def ends(chunk: Chunk) -> bool:
    """Whether a chunk says that the reply has ended, and why; so does a reply that came whole."""
    if type(chunk) is TextChunk:
        return False
    choices = chunk.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        return False
    return bool(reason(choice)) or ("delta" not in choice and "message" in choice)


def reason(choice: Mapping[str, object]) -> str:
    """Why a choice ended; empty where it has not. Some servers say `"null"` until then."""
    told = choice.get("finish_reason")
    return told if isinstance(told, str) and told != "null" else ""
