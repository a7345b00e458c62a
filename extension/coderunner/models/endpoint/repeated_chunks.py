"""Chunks that differ in nothing but their text: read without reading the rest of them again. Pure.

A server writes a chunk for each token, some 200 bytes around some three of text. Where a line begins and ends
as one that was read before, and what stands between is a plain string, its value is that one's with another
text.
"""

import json
from collections.abc import Callable, Mapping

Read = Callable[[bytes], object]
"""Reads a JSON value, however long that takes."""

TRIES = 8
"""Shapes that are looked for in one stream: not every server repeats one."""
WORTH = 16
"""Chunks of one shape that are worth looking for the next: where it has the second in it, say."""
OTHER = "\x1aother\x1a"
"""A text that no model says; in JSON it is written with escapes."""


class TextChunk(dict[str, object]):
    """A chunk that only says a text, as a value like all others."""

    __slots__ = ("text",)
    text: str


class RepeatedChunks:
    """The shape of a stream's chunks, as far as one is known."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._before = self._after = b""
        self._choice: Mapping[str, object] = {}
        self._delta: Mapping[str, object] = {}
        self._rest: Mapping[str, object] = {}
        self._tries = TRIES
        self._known = 0

    def chunk(self, line: bytes) -> TextChunk | None:
        """The chunk on a line, where it has the shape; else None."""
        before, after = self._before, self._after
        if not before or not line.startswith(before) or not line.endswith(after):
            return None
        if len(line) < len(before) + len(after):
            return None
        said = line[len(before) : -len(after)]
        if b'"' in said or b"\\" in said:
            return None
        self._known += 1
        chunk = TextChunk(self._rest)
        chunk.text = text = said.decode("utf-8", "replace")
        chunk["choices"] = [{**self._choice, "delta": {**self._delta, "content": text}}]
        return chunk

    def learn(self, line: bytes, chunk: object) -> None:
        """Take the shape of a chunk that has been read from a line."""
        if self._known >= WORTH:
            self._tries, self._known = min(self._tries + 1, TRIES), 0
        if not self._tries or (found := _parts(chunk)) is None:
            return
        self._tries -= 1
        rest, choice, delta, text = found
        literal = json.dumps(text).encode()
        before, literal, after = line.partition(literal)
        if not literal or b"\\" in literal:
            return
        changed = self._read(before + json.dumps(OTHER).encode() + after)
        if changed == {**rest, "choices": [{**choice, "delta": {**delta, "content": OTHER}}]}:
            self._before, self._after = before + b'"', b'"' + after
            self._rest, self._choice, self._delta = rest, choice, delta


def _parts(
    chunk: object,
) -> tuple[Mapping[str, object], Mapping[str, object], Mapping[str, object], str] | None:
    """What stands around the text of a chunk that says one and nothing else; None for any other."""
    choices = chunk.get("choices") if isinstance(chunk, dict) else None
    if not isinstance(chunk, dict) or not isinstance(choices, list) or len(choices) != 1:
        return None
    choice = choices[0]
    delta = choice.get("delta") if isinstance(choice, dict) else None
    if not isinstance(delta, dict) or choice.get("finish_reason") or chunk.get("error"):
        return None
    text = delta.get("content")
    if not isinstance(text, str) or not text or any(value for key, value in delta.items() if key not in SAID):
        return None
    rest = {name: value for name, value in chunk.items() if name != "choices"}
    plain = not any(rest.get(name) for name in TOLD) and set(choice) <= PLAIN
    return (rest, choice, delta, text) if plain else None


SAID = frozenset({"content", "role"})
PLAIN = frozenset({"index", "delta", "finish_reason", "logprobs"})
TOLD = (
    *("usage", "timings", "detail", "message", "errors", "msg", "error_message", "error_msg", "status_msg"),
    *("status", "status_code", "base_resp"),
)
"""Fields that say more of a reply than its text, or that it has failed."""
