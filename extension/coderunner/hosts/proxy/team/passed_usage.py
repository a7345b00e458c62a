"""Counts the tokens of a response that is passed on unchanged, while it passes."""

from collections.abc import Mapping, Sequence

from coderunner.errors import UnreadableJSON
from coderunner.models.endpoint.chunks import piece
from coderunner.models.endpoint.sse import EventDecoder
from coderunner.models.endpoint.token_usage import Tokens, count, guess, guess_text
from coderunner.text import json_reader

LARGEST = 4 * 1024 * 1024
"""Bytes of a JSON response that are kept to be read: a reply of a million tokens."""


class PassedUsage:
    """The tokens of one request and its response: the endpoint's own count, or else an estimate."""

    def __init__(self, body: bytes, *, counts: bool) -> None:
        """`counts`: without it, nothing is read and nothing is counted."""
        self.counts = counts
        self._body = body
        self._decoder: EventDecoder | None = None
        self._whole: bytearray | None = None
        self._tokens: Tokens | None = None
        self._said = 0
        """Tokens of the text so far, by its length or its chunks."""

    def begin(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """The response begins. An error costs nothing."""
        self.counts = self.counts and status < 400
        kinds = [value.lower() for name, value in headers if name.lower() == b"content-type"]
        if self.counts and kinds and kinds[0].startswith(b"text/event-stream"):
            self._decoder = EventDecoder()
        elif self.counts and kinds and b"json" in kinds[0]:
            self._whole = bytearray()

    def receive(self, data: bytes) -> None:
        """A piece of the response."""
        if self._decoder is not None:
            self._read(self._decoder.receive(data))
        elif self._whole is not None and len(self._whole) <= LARGEST:
            self._whole += data

    def close(self) -> tuple[Tokens, bool]:
        """The tokens of all, and whether they are an estimate."""
        if self._decoder is not None:
            self._read(self._decoder.close())
        elif self._whole:
            self._read([_loaded(bytes(self._whole))])
        if self._tokens is not None or not self.counts:
            return self._tokens or Tokens(), False
        asked = _loaded(self._body)
        prompt = guess(asked) if isinstance(asked, Mapping) else 0
        return Tokens(prompt, self._said), True

    def _read(self, events: Sequence[object]) -> None:
        for event in events:
            if not isinstance(event, dict):
                continue
            self._tokens = _counted(event) or self._tokens
            chunk = piece(event)
            text = chunk.content + chunk.reasoning
            if text:
                # A chunk of a stream is a token as a rule.
                self._said += 1 if self._decoder is not None else guess_text(text)


def _counted(event: Mapping[str, object]) -> Tokens | None:
    """The endpoint's count, also as the API of responses has it."""
    inner = event.get("response")
    usage = event.get("usage") or (inner.get("usage") if isinstance(inner, Mapping) else None)
    if not isinstance(usage, Mapping):
        return None
    prompt = count(usage.get("prompt_tokens")) or count(usage.get("input_tokens"))
    return Tokens(prompt, count(usage.get("completion_tokens")) or count(usage.get("output_tokens")))


def _loaded(data: bytes) -> object:
    try:
        return json_reader.loads(data)
    except UnreadableJSON:
        return None
