"""A reply as the output items of a response, and as the events that tell of them while it is written. Pure.

The text of a reply is cut where it is code: what stands before a block and after its result are messages, and
the block with its result is a call of the code interpreter. A thought is an item of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from coderunner.hosts.proxy.client_api.reply_parts import CodeText, addresses, result_text, without_tags
from coderunner.hosts.proxy.files.file_ids import MADE, Cited, FileId, cited
from coderunner.hosts.proxy.responses.passed_items import PassedItems
from coderunner.models.continuation.tool_calls import joined
from coderunner.models.responses.response_rounds import MESSAGE, further
from coderunner.models.responses.response_stream import ADDED, CITED
from coderunner.runner import Part

PLACES = ("start_index", "end_index", "index")
"""The fields of an annotation that count characters."""

Event = dict[str, Any]
"""One of the API's events, without its number."""


class OutputItems:
    """The items of one response."""

    def __init__(self, identity: str, container: str, conversation: str) -> None:
        """`identity`: what the ids of the items have in common. `container`: in which the code runs.

        `conversation`: the name of the one whose container that is.
        """
        self._identity, self._container, self._conversation = identity, container, conversation
        self._done: list[dict[str, Any]] = []
        self._item: dict[str, Any] | None = None
        """The item that is being written."""
        self._text: list[str] = []
        self._code = CodeText()
        self._source = ""
        self._whole = False
        """The code that is being written is all there."""
        self._kept: tuple[str, ...] = ()
        self._below = ""
        """The links below a result, for the message after it."""
        self._calls: list[object] = []
        self._theirs = PassedItems(self._done)
        self._fields: dict[str, object] = {}
        """What else the message has that comes next."""
        self._annotations: list[object] = []
        """Those of the message that is being written."""
        self._shift = 0
        """Characters of ours before its text."""

    @property
    def items(self) -> list[dict[str, Any]]:
        """Those that are complete."""
        return self._done

    # --- what happens

    def say(self, text: str, part: Part) -> list[Event]:
        """A piece of the reply."""
        return _SAID.get(part, OutputItems._prose)(self, text)

    def _thought(self, text: str) -> list[Event]:
        """A piece of a thought that stands in the text between tags."""
        text = without_tags(text)
        return self.think(text) if text.strip() or self._kind == "reasoning" else []

    def think(self, text: str) -> list[Event]:
        """A piece of the thought."""
        if not text:
            return []
        events = self._enter("reasoning")
        self._text.append(text)
        return [*events, self._within("reasoning_text.delta", delta=text, content_index=0)]

    def run(self, code: str) -> list[Event]:
        """The block runs, as this code."""
        if self._kind != "code_interpreter_call":
            return []
        self._source = code
        return [*self._code_is_whole(), self._within("code_interpreter_call.interpreting")]

    def end(self, kept: Sequence[str]) -> list[Event]:
        """The block has ended; `kept` is what its result has of ours: images, and links to files."""
        self._kept = tuple(kept)
        return []

    def call(self, fragments: Sequence[object]) -> list[Event]:
        """Fragments of calls of the client's own functions."""
        self._calls += fragments
        return []

    def close(self) -> list[Event]:
        """The reply is over."""
        events = self._flush()
        events += self._leave()
        for call in joined(self._calls):
            events += self._function_call(call)
        return [*events, *self._theirs.close()]

    def passed(self, event: Mapping[str, object]) -> list[Event]:
        """An event of an endpoint that has this API: of its own items, or a citation in a message."""
        its = event.get("item")
        kind = event.get("type")
        if kind == ADDED and isinstance(its, Mapping) and its.get("type") == MESSAGE:
            events, self._fields = self._leave(), further(its)
            return events
        if kind == CITED:
            return self._cite(event.get("annotation"))
        before = self._leave() if kind == ADDED else []
        return [*before, *self._theirs.receive(event)]

    # --- text

    def _prose(self, text: str) -> list[Event]:
        events: list[Event] = []
        if self._kind != "message":
            events = self._leave()
            if not text.strip():
                return events
            events += self._enter("message")
            text, self._shift = f"{self._below}{text.lstrip()}", len(self._below)
            self._below = ""
        return [*events, *self._say(text)]

    def _flush(self) -> list[Event]:
        """Say the links below the last result, where no text follows that could have them."""
        below, self._below = self._below, ""
        return [*self._leave(), *self._say(below.rstrip())] if below else []

    def _say(self, text: str) -> list[Event]:
        events = self._enter("message")
        self._text.append(text)
        return [*events, self._within("output_text.delta", delta=text, content_index=0, logprobs=[])]

    # --- code and its result

    def _block(self, text: str) -> list[Event]:
        events: list[Event] = []
        if self._kind != "code_interpreter_call" or self._whole:
            events = [*self._flush(), *self._leave(), *self._enter("code_interpreter_call")]
        if new := self._code.receive(text):
            events.append(self._code_delta(new))
        return events

    def _result(self, text: str) -> list[Event]:
        if self._kind != "code_interpreter_call":
            return self._prose(text)
        events = self._code_is_whole()
        told = result_text(text, self._kept)
        self._kept, self._below = (), f"{told.files}\n\n" if told.files else ""
        assert self._item is not None  # noqa: S101 - its kind was asked
        self._item["outputs"] = [
            *([{"type": "logs", "logs": told.logs}] if told.logs else []),
            *({"type": "image", "url": url} for markdown in told.images for url in addresses(markdown)),
        ]
        return [*events, *self._leave()]

    def _code_delta(self, text: str) -> Event:
        return self._within("code_interpreter_call_code.delta", delta=text)

    def _code_is_whole(self) -> list[Event]:
        if self._item is None or self._whole:
            return []
        self._whole = True
        last = self._code.close()
        code = self._source or self._code.text
        self._item["code"] = code
        events = [self._code_delta(last)] if last else []
        return [*events, self._within("code_interpreter_call_code.done", code=code)]

    # --- items

    @property
    def _kind(self) -> str:
        return str(self._item["type"]) if self._item else ""

    def _enter(self, kind: str) -> list[Event]:
        """Begin an item of a kind, where none such is being written."""
        if self._kind == kind:
            return []
        events = self._leave()
        prefix, item = _BEGUN[kind]
        self._item = {"id": f"{prefix}_{self._identity}_{len(self._done)}", "type": kind, **item()}
        self._text, self._code, self._source, self._whole = [], CodeText(), "", False
        self._annotations, self._shift = [], 0
        if kind == "code_interpreter_call":
            self._item["container_id"] = self._container
        if kind == "message":
            self._item, self._fields = {**self._fields, **self._item}, {}
        events.append(self._of_item("added", self._item))
        match kind:
            case "code_interpreter_call":
                events.append(self._within("code_interpreter_call.in_progress"))
            case "message":
                part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
                events.append(self._within("content_part.added", content_index=0, part=part))
            case _:
                part = {"type": "reasoning_text", "text": ""}
                events.append(self._within("content_part.added", content_index=0, part=part))
        return events

    def _leave(self) -> list[Event]:
        """End the item that is being written."""
        if self._item is None:
            return []
        events = _LEFT[self._kind](self)
        events.append(self._of_item("done", self._item))
        self._done.append(self._item)
        self._item = None
        return events

    def _end_message(self) -> list[Event]:
        text = "".join(self._text)
        before = len(self._annotations)
        annotations = [*self._annotations, *map(self._citation, cited(text))]
        part = {"type": "output_text", "text": text, "annotations": annotations, "logprobs": []}
        self._finish(content=[part])
        added = "output_text.annotation.added"
        return [
            *(
                self._within(added, annotation=each, annotation_index=at, content_index=0)
                for at, each in enumerate(annotations[before:], before)
            ),
            self._within("output_text.done", text=text, content_index=0, logprobs=[]),
            self._within("content_part.done", content_index=0, part=part),
        ]

    def _cite(self, annotation: object) -> list[Event]:
        """A citation of the endpoint's, in the message that is being written."""
        if self._kind != "message" or not isinstance(annotation, Mapping):
            return []
        places = {name: annotation[name] for name in PLACES if isinstance(annotation.get(name), int)}
        moved = {**annotation, **{name: place + self._shift for name, place in places.items()}}
        at = len(self._annotations)
        self._annotations.append(moved)
        added = "output_text.annotation.added"
        return [self._within(added, annotation=moved, annotation_index=at, content_index=0)]

    def _citation(self, link: Cited) -> dict[str, Any]:
        """A link to a file as the API tells of one in a container."""
        which = FileId(self._conversation, link.path)
        return {
            "type": "container_file_citation",
            "container_id": self._container,
            "file_id": which.shown(MADE),
            "filename": which.name,
            "start_index": link.start,
            "end_index": link.end,
        }

    def _end_thought(self) -> list[Event]:
        text = "".join(self._text)
        part = {"type": "reasoning_text", "text": text}
        self._finish(content=[part])
        return [
            self._within("reasoning_text.done", text=text, content_index=0),
            self._within("content_part.done", content_index=0, part=part),
        ]

    def _end_code(self) -> list[Event]:
        events = self._code_is_whole()
        assert self._item is not None  # noqa: S101 - its kind was asked
        if self._item["outputs"] is None:
            self._finish(status="incomplete")
            return events
        self._finish()
        return [*events, self._within("code_interpreter_call.completed")]

    def _finish(self, **fields: object) -> None:
        if self._item is not None:
            self._item |= {"status": "completed", **fields}

    def _function_call(self, call: dict[str, Any]) -> list[Event]:
        """A call of one of the client's functions, whole."""
        function = call["function"]
        arguments, name = str(function.get("arguments") or ""), str(function.get("name") or "")
        begun = {
            "id": f"fc_{self._identity}_{len(self._done)}",
            "type": "function_call",
            "status": "in_progress",
            "call_id": str(call.get("id") or f"call_{len(self._done)}"),
            "name": name,
            "arguments": "",
        }
        self._item = begun
        done = {**begun, "status": "completed", "arguments": arguments}
        events = [
            self._of_item("added", begun),
            self._within("function_call_arguments.delta", delta=arguments),
            self._within("function_call_arguments.done", arguments=arguments, name=name),
            self._of_item("done", done),
        ]
        self._done.append(done)
        self._item = None
        return events

    def _of_item(self, what: str, item: dict[str, Any]) -> Event:
        return {"type": f"response.output_item.{what}", "output_index": len(self._done), "item": {**item}}

    def _within(self, kind: str, **fields: object) -> Event:
        identity = self._item["id"] if self._item else ""
        return {"type": f"response.{kind}", "item_id": identity, "output_index": len(self._done), **fields}


_SAID: dict[Part, Callable[[OutputItems, str], list[Event]]] = {
    Part.THOUGHT: OutputItems._thought,
    Part.CODE: OutputItems._block,
    Part.RESULT: OutputItems._result,
}
_BEGUN: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "message": ("msg", lambda: {"status": "in_progress", "role": "assistant", "content": []}),
    "reasoning": ("rs", lambda: {"status": "in_progress", "summary": [], "content": []}),
    "code_interpreter_call": ("ci", lambda: {"status": "in_progress", "code": "", "outputs": None}),
}
"""How each kind of item begins: the beginning of its id, and its fields."""
_LEFT: dict[str, Callable[[OutputItems], list[Event]]] = {
    "message": OutputItems._end_message,
    "reasoning": OutputItems._end_thought,
    "code_interpreter_call": OutputItems._end_code,
}
"""How each kind ends."""
