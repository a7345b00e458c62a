"""One request's share of a reply in Anthropic's API: events in, deltas out. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Iterator as Iterates

from coderunner.models.continuation.reply_segment import Delta, ReplySegment
from coderunner.models.endpoint.chunks import ChunkContent
from coderunner.models.endpoint.sse import Chunk
from coderunner.models.endpoint.token_usage import Tokens, count
from coderunner.models.messages.passed_block import PassedBlock
from coderunner.models.native.native_reply import NOTHING

FINISHED: Mapping[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
"""The reasons of chat completions for the API's own; any other stays as it is."""
CACHED = "cache_read_input_tokens"
PROMPT = ("input_tokens", CACHED, "cache_creation_input_tokens")
"""What a prompt is counted as."""
_CLOSING = re.compile(r"(?:\A|\n)[ \t>]*(?:`{3,}|~{3,})[ \t]*\Z")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
"""What a type can be: it names the event in the stream to the client."""
LONGEST_FENCE = 200
"""Characters of the end of a text in which a closing fence is looked for."""
WHOLE = "message"
"""The type of a message that came whole, though a stream was asked for."""


def ends(event: Chunk) -> bool:
    """Whether an event says that the message has ended; so does a message that came whole."""
    return isinstance(event, Mapping) and event.get("type") in ("message_stop", WHOLE)


def finished(reason: str) -> str:
    """A reason of the API as one of chat completions."""
    return FINISHED.get(reason, reason)


class MessageStream:
    """Gives the text to be read, and all else as it came.

    Text blocks are the reply's text; a block that is none is passed on whole, and kept with its place.
    """

    def __init__(self, segment: ReplySegment) -> None:
        self._segment = segment
        self._open: PassedBlock | None = None
        self._tail = ""
        """The end of the text block that is open."""
        self._said = 0
        self._spent: dict[str, int] = {}
        self._counted = False
        self._pieces = 0
        self.passed: list[tuple[int, Mapping[str, object]]] = []
        """The blocks that were passed on, each after so many characters of text."""
        self.finish_reason = ""
        self.began = False
        """A message has begun, so the endpoint has the API."""

    @property
    def prompt(self) -> int:
        """Tokens of the prompt, as far as they were told."""
        return sum(self._spent.get(name, 0) for name in PROMPT)

    @property
    def pieces(self) -> int:
        """Pieces of blocks that came: about as many tokens."""
        return self._pieces

    @property
    def tokens(self) -> Tokens | None:
        """The server's count; None where it was not told, since we have closed the stream."""
        if not self._counted:
            return None
        return Tokens(self.prompt, self._spent.get("output_tokens", 0), self._spent.get(CACHED, 0))

    def receive(self, events: Sequence[Chunk]) -> Iterates[Delta]:
        """Take events that came together; text is given up to each end of a line, where a block may close."""
        texts: list[str] = []
        for event in (part for whole in events if isinstance(whole, Mapping) for part in _parts(whole)):
            text = self._text(event)
            if text is not None:
                texts.append(text)
            if texts and (text is None or "\n" in text):
                yield self._say(texts)
                texts = []
            if text is None and (delta := self._other(event)) != NOTHING:
                yield delta
        if texts:
            yield self._say(texts)

    def close(self) -> Delta:
        """The stream has ended."""
        return self._noted(self._segment.close())

    def break_off(self) -> Delta:
        """The stream broke."""
        return self._noted(self._segment.break_off())

    def _text(self, event: Mapping[str, object]) -> str | None:
        """The text of an event; None where it is none."""
        if self._open is not None or event.get("type") != "content_block_delta":
            return None
        delta = _mapping(event.get("delta"))
        text = delta.get("text")
        return text if delta.get("type") == "text_delta" and isinstance(text, str) else None

    def _say(self, texts: Sequence[str]) -> Delta:
        self._pieces += len(texts)
        self._tail = (self._tail + "".join(texts))[-LONGEST_FENCE:]
        return self._noted(self._segment.receive([ChunkContent(text) for text in texts]))

    def _noted(self, delta: Delta) -> Delta:
        self._said += len(delta.content)
        return delta

    def _other(self, event: Mapping[str, object]) -> Delta:
        kind = str(event.get("type") or "")
        read = _READ.get(kind)
        if read:
            return read(self, event)
        return Delta(events=(event,)) if _NAME.fullmatch(kind) else NOTHING

    def _start(self, event: Mapping[str, object]) -> Delta:
        self.began = True
        self._count(_mapping(event.get("message")).get("usage"))
        return Delta(events=(event,))

    def _end(self, event: Mapping[str, object]) -> Delta:
        reason = _mapping(event.get("delta")).get("stop_reason")
        self.finish_reason = finished(reason) if isinstance(reason, str) else self.finish_reason
        usage = event.get("usage")
        self._count(usage)
        self._counted = self._counted or "output_tokens" in _mapping(usage)
        return Delta(events=(event,))

    def _count(self, usage: object) -> None:
        counts = {name: count(_mapping(usage).get(name)) for name in (*PROMPT, "output_tokens")}
        self._spent |= {name: tokens for name, tokens in counts.items() if tokens}

    def _enter(self, event: Mapping[str, object]) -> Delta:
        block = _mapping(event.get("content_block"))
        self._tail = ""
        if block.get("type") == "text":
            self._open = None
            text = block.get("text")
            return self._say([text]) if isinstance(text, str) and text else NOTHING
        self._open = PassedBlock(block)
        return Delta(events=(event,))

    def _add(self, event: Mapping[str, object]) -> Delta:
        self._pieces += 1
        if self._open is not None:
            self._open.add(event.get("delta"))
        return Delta(events=(event,))

    def _leave(self, event: Mapping[str, object]) -> Delta:
        if self._open is None:
            # A block that ends with its text is closed, and runs before anything follows it.
            return self._say(["\n"]) if _CLOSING.search(self._tail) else NOTHING
        self.passed.append((self._said, self._open.whole()))
        self._open = None
        return Delta(events=(event,))

    def _nothing(self, _event: Mapping[str, object]) -> Delta:
        return NOTHING


_READ: Mapping[str, Callable[[MessageStream, Mapping[str, object]], Delta]] = {
    "message_start": MessageStream._start,
    "message_delta": MessageStream._end,
    "message_stop": MessageStream._nothing,
    "ping": MessageStream._nothing,
    "content_block_start": MessageStream._enter,
    "content_block_delta": MessageStream._add,
    "content_block_stop": MessageStream._leave,
}
"""An event that we do not know goes to the client as it is."""


def _parts(event: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    """The event, or those that a message would have come as that came whole."""
    content = event.get("content")
    if event.get("type") != WHOLE or not isinstance(content, list):
        return (event,)
    parts: list[Mapping[str, object]] = [{"type": "message_start", "message": event}]
    for index, block in enumerate(content):
        parts.append({"type": "content_block_start", "index": index, "content_block": block})
        parts.append({"type": "content_block_stop", "index": index})
    ended = {name: event.get(name) for name in ("stop_reason", "stop_sequence")}
    return [*parts, {"type": "message_delta", "delta": ended, "usage": event.get("usage")}]


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
