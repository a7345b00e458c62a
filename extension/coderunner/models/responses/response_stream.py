"""One request's share of a reply in the Responses API: events in, deltas out. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from coderunner.models.continuation.reply_segment import Delta, ReplySegment
from coderunner.models.endpoint.chunks import ChunkContent
from coderunner.models.endpoint.sse import Chunk
from coderunner.models.endpoint.token_usage import Tokens, count
from coderunner.models.native.native_reply import NOTHING
from coderunner.models.responses.response_rounds import FOR_CLIENTS, MESSAGE

Event = Mapping[str, object]

BEGAN = ("response.queued", "response.created", "response.in_progress")
ENDED = ("response.completed", "response.incomplete")
ADDED, DONE = "response.output_item.added", "response.output_item.done"
TEXTS = ("response.output_text.delta", "response.refusal.delta")
CITED = "response.output_text.annotation.added"
INCOMPLETE: Mapping[str, str] = {"max_output_tokens": "length"}
"""The reasons of chat completions for the API's own; any other stays as it is."""
_CLOSING = re.compile(r"(?:\A|\n)[ \t>]*(?:`{3,}|~{3,})[ \t]*\Z")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
"""What a type can be: it names the event in the stream to the client."""
LONGEST_FENCE = 200
"""Characters of the end of a text in which a closing fence is looked for."""


def ends(event: Chunk) -> bool:
    """Whether an event says that the response has ended; so does a response that came whole."""
    return isinstance(event, Mapping) and (event.get("type") in ENDED or _is_whole(event))


class ResponseStream:
    """Gives the text to be read, and all else as it came.

    Messages are the reply's text; an item that is none is passed on whole, and kept with its place.
    """

    def __init__(self, segment: ReplySegment) -> None:
        self._segment = segment
        self._messages: dict[object, bool] = {}
        """The messages that are open, by their index, and whether text of them came."""
        self._tail = ""
        """The end of what was said."""
        self._said = 0
        self._tokens: Tokens | None = None
        self._called = False
        self.pieces = 0
        self.passed: list[tuple[int, Mapping[str, object]]] = []
        """The items that were passed on, each after so many characters of text; messages as they began."""
        self.finish_reason = ""
        self.began = False

    @property
    def prompt(self) -> int:
        """Tokens of the prompt: told at the end alone."""
        return self._tokens.prompt if self._tokens else 0

    @property
    def tokens(self) -> Tokens | None:
        """The server's count; None where it was not told, since we have closed the stream."""
        return self._tokens

    def receive(self, events: Sequence[Chunk]) -> Iterator[Delta]:
        """Take events that came together; text is given up to each end of a line, where a block may close."""
        texts: list[str] = []
        for event in (part for each in events if isinstance(each, Mapping) for part in _parts(each)):
            text = self._text(event)
            if text is not None:
                texts.append(text)
            if texts and (text is None or "\n" in text):
                yield self._say(texts)
                texts = []
            if text is None:
                yield from (delta for delta in self._other(event) if delta != NOTHING)
        if texts:
            yield self._say(texts)

    def close(self) -> Delta:
        """The stream has ended."""
        return self._noted(self._segment.close())

    def break_off(self) -> Delta:
        """The stream broke."""
        return self._noted(self._segment.break_off())

    def _text(self, event: Event) -> str | None:
        """The text of an event; None where it is none."""
        delta = event.get("delta")
        if event.get("type") not in TEXTS or not isinstance(delta, str):
            return None
        self._messages[_index(event)] = True
        return delta

    def _say(self, texts: Sequence[str]) -> Delta:
        self.pieces += len(texts)
        text = "".join(texts)
        self._tail = (self._tail + text)[-LONGEST_FENCE:]
        return self._noted(self._segment.receive([ChunkContent(text)]))

    def _noted(self, delta: Delta) -> Delta:
        self._said += len(delta.content)
        return delta

    def _other(self, event: Event) -> Sequence[Delta]:
        kind = str(event.get("type") or "")
        if read := _READ.get(kind):
            return read(self, event)
        if kind.endswith(".delta"):
            self.pieces += 1
        within = _index(event) in self._messages and "output_index" in event
        # What else is told of a message is told by us, with its text as it is then.
        return () if not _NAME.fullmatch(kind) or (within and kind != CITED) else (Delta(events=(event,)),)

    def _begin(self, event: Event) -> Sequence[Delta]:
        self.began = True
        return (Delta(events=(event,)),)

    def _end(self, event: Event) -> Sequence[Delta]:
        response = _mapping(event.get("response"))
        self._count(_mapping(response.get("usage")))
        why = str(_mapping(response.get("incomplete_details")).get("reason") or "")
        self.finish_reason = INCOMPLETE.get(why, why) or ("tool_calls" if self._called else "stop")
        return (Delta(events=(event,)),)

    def _count(self, usage: Mapping[str, object]) -> None:
        if "output_tokens" in usage:
            cached = _mapping(usage.get("input_tokens_details")).get("cached_tokens")
            counts = (usage.get("input_tokens"), usage.get("output_tokens"), cached)
            self._tokens = Tokens(*map(count, counts))

    def _enter(self, event: Event) -> Sequence[Delta]:
        item = _mapping(event.get("item"))
        self.began = True
        begun = Delta(events=(event,))
        if item.get("type") != MESSAGE:
            self._messages.pop(_index(event), None)
            self._called = self._called or item.get("type") in FOR_CLIENTS
            return (begun,)
        self._messages[_index(event)] = False
        # Two messages are two paragraphs of the reply; the client has them as they came.
        apart = self._say(["\n\n"]) if self._tail and not self._tail.endswith("\n\n") else NOTHING
        self.passed.append((self._said, item))
        return (begun, apart)

    def _leave(self, event: Event) -> Sequence[Delta]:
        item = _mapping(event.get("item"))
        if item.get("type") != MESSAGE:
            self.passed.append((self._said, item))
            return (Delta(events=(event,)),)
        streamed = self._messages.pop(_index(event), False)
        text = "" if streamed else _content(item)
        said = self._say([text]) if text else NOTHING
        # A block that ends with its message is closed, and runs before anything follows it.
        return (said, self._say(["\n"]) if _CLOSING.search(self._tail) else NOTHING)


_READ: Mapping[str, Callable[[ResponseStream, Event], Sequence[Delta]]] = {
    **dict.fromkeys(BEGAN, ResponseStream._begin),
    **dict.fromkeys(ENDED, ResponseStream._end),
    ADDED: ResponseStream._enter,
    DONE: ResponseStream._leave,
}
"""An event that we do not know goes to the client as it is."""


def _is_whole(event: Event) -> bool:
    return event.get("object") == "response" and "type" not in event


def _parts(event: Event) -> Sequence[Event]:
    """The event, or those that a response would have come as that came whole."""
    output = event.get("output")
    if not _is_whole(event) or not isinstance(output, list):
        return (event,)
    parts: list[Event] = [{"type": BEGAN[1], "response": event}]
    for index, item in enumerate(output):
        parts += [{"type": kind, "output_index": index, "item": item} for kind in (ADDED, DONE)]
    return [*parts, {"type": ENDED[0], "response": event}]


def _content(message: Mapping[str, object]) -> str:
    parts = message.get("content")
    told = [part for part in (parts if isinstance(parts, list) else ()) if isinstance(part, Mapping)]
    return "".join(str(part.get("text") or part.get("refusal") or "") for part in told)


def _index(event: Event) -> object:
    index = event.get("output_index")
    return index if isinstance(index, int) else None


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
