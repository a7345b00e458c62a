"""A reply as its client reads it in the Messages API: the events of a stream, or the whole. Pure."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from coderunner.hosts.proxy.client_api.client_functions import is_ours
from coderunner.hosts.proxy.client_api.openai_format import Outcome
from coderunner.hosts.proxy.client_api.reply_parts import CodeText, result_text, without_tags
from coderunner.hosts.proxy.files.file_ids import MESSAGE_FILE, FileId, from_digits, linked
from coderunner.hosts.proxy.messages.message_request import TOOL_USE
from coderunner.hosts.proxy.messages.their_message import TheirMessage
from coderunner.models.continuation.tool_calls import joined
from coderunner.models.endpoint.token_usage import Usage
from coderunner.models.messages.message_stream import finished
from coderunner.models.messages.passed_block import PassedBlock
from coderunner.runner import Part
from coderunner.text.surrogates import paired

REASONS: Mapping[str, str] = {"length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
"""The API's words for why a reply ends; any other is its end."""
NOT_RUN = {"type": "code_execution_tool_result_error", "error_code": "unavailable"}
"""In place of the result of a block that has none."""

START, END = "message_start", "message_delta"

Event = dict[str, Any]


class MessageFormat:
    """One reply. Text, thoughts, code and results are blocks of its content."""

    def __init__(self, identity: str, model: str, conversation: str, container: Mapping[str, str]) -> None:
        """`conversation`: its name in ids. `container`: the one that the code runs in, as the API has it."""
        self._head = {"id": identity, "type": "message", "role": "assistant", "model": model}
        self._conversation, self._container = conversation, container
        self._uses = f"{TOOL_USE}{conversation}_{identity.rpartition('_')[2]}_"
        """The beginning of the ids of its blocks: those of other replies of the conversation have another."""
        self._content: list[dict[str, Any]] = []
        self._block: dict[str, Any] | None = None
        """The block that is being written."""
        self._pieces: list[str] = []
        self._code = CodeText()
        self._kept: tuple[str, ...] = ()
        self._failed = False
        self._answered = True
        """The code that was written last has its result."""
        self._below = ""
        """What stands below a result: images and links, for the text after it."""
        self._calls: list[object] = []
        self._passed: PassedBlock | None = None
        """The block that is being written, where it is the endpoint's own."""
        self._theirs = TheirMessage()

    @property
    def ran(self) -> bool:
        """Whether a block is in it."""
        return any(map(self._is_ours, self._content))

    # --- what happens

    def begin(self) -> bytes:
        """What stands before everything."""
        message = self._message([], None, Usage())
        begun = {"usage": {**message["usage"], **self._theirs.first_usage}}
        return _written([{"type": START, "message": {**self._theirs.head, **message, **begun}}])

    def content(self, text: str, part: Part) -> bytes:
        """A piece of the reply."""
        return _written(_SAID[part](self, text))

    def reasoning(self, text: str) -> bytes:
        """A piece of the thought."""
        return _written(self._think(text))

    def run(self, _code: str) -> bytes:
        """The block runs."""
        return _written(self._leave() if self._kind == "server_tool_use" else [])

    def ended(self, kept: Sequence[str], *, failed: bool) -> bytes:
        """The block has ended, with what its result has of ours."""
        self._kept, self._failed = tuple(kept), failed
        return b""

    def calls(self, fragments: Sequence[object]) -> bytes:
        """Fragments of calls of the client's own tools."""
        self._calls += fragments
        return b""

    def passed(self, event: Mapping[str, object]) -> bytes:
        """An event of an endpoint that has this API: a block of its own, or what it says of the message."""
        kind = event.get("type")
        if kind in (START, END):
            self._theirs.note(event)
            return b""
        read = _PASSED.get(str(kind))
        return _written(read(self, event) if read else [dict(event)])

    def end(self, outcome: Outcome) -> bytes:
        """What stands after everything."""
        last = {
            **self._theirs.last,
            "type": END,
            "delta": self._ended(outcome),
            "usage": self._spent(outcome),
        }
        return _written([*self._close(), last, {"type": "message_stop"}])

    def _ended(self, outcome: Outcome) -> Event:
        """Why it ends: in the endpoint's own word, unless it ends for a reason of ours."""
        said = self._theirs.delta
        reason = str(said.get("stop_reason") or "")
        same = bool(reason) and finished(reason) == outcome.reason
        own = {} if same else {"stop_reason": _reason(outcome), "stop_sequence": None}
        return {"stop_sequence": None, **said, **own, "container": self._container}

    def _spent(self, outcome: Outcome) -> Event:
        return {**usage(outcome.usage), **self._theirs.usage(outcome.usage.completion)}

    def break_off(self, message: str) -> bytes:
        """The end of a stream that failed after its start."""
        failed = {"type": "error", "error": {"type": "api_error", "message": message}}
        return _written([*self._close(), failed])

    def _close(self) -> list[Event]:
        """The reply is over."""
        calls = joined(self._calls)
        waits = any(is_ours(call.get("id")) for call in calls)
        # A block that has made them goes on when they are answered, and then has its result.
        events = [*self._leave(), *([] if waits else self._without_result())]
        if self._below:
            below, self._below = self._below.rstrip(), ""
            events += [*self._say(below), *self._leave()]
        for call in calls:
            events += self._call(call)
        return events

    def whole(self, outcome: Outcome) -> dict[str, Any]:
        """The message, after its end."""
        message = self._message(self._content, None, outcome.usage)
        return {**message, **self._ended(outcome), "usage": self._spent(outcome)}

    # --- the parts

    def _prose(self, text: str) -> list[Event]:
        events: list[Event] = []
        if self._kind != "text":
            events = [*self._leave(), *self._without_result()]
            if not text.strip():
                return events
            text, self._below = f"{self._below}{text.lstrip()}", ""
        return [*events, *self._say(text)]

    def _say(self, text: str) -> list[Event]:
        events = self._enter({"type": "text", "text": ""})
        return [*events, self._delta(text, {"type": "text_delta", "text": text})]

    def _thought(self, text: str) -> list[Event]:
        text = without_tags(text)
        return self._think(text) if text.strip() or self._kind == "thinking" else []

    def _think(self, text: str) -> list[Event]:
        if not text:
            return []
        events = self._enter({"type": "thinking", "thinking": "", "signature": ""})
        return [*events, self._delta(text, {"type": "thinking_delta", "thinking": text})]

    def _written_code(self, text: str) -> list[Event]:
        events: list[Event] = []
        if self._kind != "server_tool_use":
            events = [*self._leave(), *self._without_result()]
            if self._below:
                below, self._below = self._below.rstrip(), ""
                events += [*self._say(below), *self._leave()]
            identity = f"{self._uses}{len(self._content)}"
            use = {"type": "server_tool_use", "id": identity, "name": "code_execution", "input": {}}
            self._code = CodeText()
            events += self._enter(use)
            events.append(self._delta("", {"type": "input_json_delta", "partial_json": '{"code": "'}))
        return [*events, *self._code_delta(self._code.receive(text))]

    def _code_delta(self, text: str) -> list[Event]:
        if not text:
            return []
        part = paired(json.dumps(text))[1:-1]
        return [self._delta("", {"type": "input_json_delta", "partial_json": part})]

    def _result(self, text: str) -> list[Event]:
        if not self._content and self._block is None:
            return self._prose(text)
        events = self._leave()
        if self._answered:
            return [*events, *self._prose(text)]
        told = result_text(text, self._kept)
        made = [path for each in self._kept if (path := linked(each))]
        self._kept = ()
        self._below = "".join(f"{each}\n\n" for each in (told.files, *told.images) if each)
        conversation = from_digits(self._conversation)
        files = [
            {"type": "code_execution_output", "file_id": FileId(conversation, path).shown(MESSAGE_FILE)}
            for path in made
        ]
        ran = {"type": "code_execution_result", "stdout": told.logs, "stderr": "", "content": files}
        return [*events, *self._answer({**ran, "return_code": int(self._failed)})]

    def _without_result(self) -> list[Event]:
        """Say of the code that was written last that it has no result, where that is so."""
        return [] if self._answered else self._answer(NOT_RUN)

    def _answer(self, content: Mapping[str, object]) -> list[Event]:
        self._answered = True
        used = next(filter(self._is_ours, reversed(self._content)))
        result = {"type": "code_execution_tool_result", "tool_use_id": used["id"], "content": dict(content)}
        return [*self._enter(result), *self._leave()]

    def _call(self, call: dict[str, Any]) -> list[Event]:
        """A call of one of the client's tools, whole."""
        function = call["function"]
        arguments = str(function.get("arguments") or "{}")
        identity = str(call.get("id") or f"toolu_{len(self._content)}")
        use = {"type": "tool_use", "id": identity, "name": str(function.get("name") or ""), "input": {}}
        events = self._enter(use)
        events.append(self._delta(arguments, {"type": "input_json_delta", "partial_json": arguments}))
        return [*events, *self._leave()]

    # --- the endpoint's own blocks

    def _start(self, event: Mapping[str, object]) -> list[Event]:
        events = [*self._leave(), *self._without_result()]
        begun = event.get("content_block")
        self._passed = PassedBlock(begun)
        return [*events, {**event, "index": len(self._content)}]

    def _go_on(self, event: Mapping[str, object]) -> list[Event]:
        """A delta of such a block, or what belongs to our text, such as a citation."""
        delta = event.get("delta")
        if self._passed is not None:
            self._passed.add(delta)
        elif self._kind != "text" or self._block is None:
            return []
        elif isinstance(delta, Mapping) and "citation" in delta:
            self._block.setdefault("citations", []).append(delta["citation"])
        return [{**event, "index": len(self._content)}]

    def _stop(self, _event: Mapping[str, object]) -> list[Event]:
        return self._leave() if self._passed is not None else []

    def _is_ours(self, block: Mapping[str, object]) -> bool:
        """Whether a block is code that runs here."""
        return block.get("type") == "server_tool_use" and str(block.get("id")).startswith(self._uses)

    # --- blocks

    @property
    def _kind(self) -> str:
        return str(self._block["type"]) if self._block else ""

    def _enter(self, block: dict[str, Any]) -> list[Event]:
        """Begin a block, where none of its kind is being written."""
        if self._kind == block["type"]:
            return []
        events = self._leave()
        self._block, self._pieces = block, []
        index = len(self._content)
        return [*events, {"type": "content_block_start", "index": index, "content_block": {**block}}]

    def _leave(self) -> list[Event]:
        """End the block that is being written."""
        if self._passed is not None:
            self._content.append(self._passed.whole())
            self._passed = None
            return [{"type": "content_block_stop", "index": len(self._content) - 1}]
        if self._block is None:
            return []
        block, events = self._block, []
        said = "".join(self._pieces)
        match self._kind:
            case "text" | "thinking" as kind:
                block[kind] = said
            case "server_tool_use":
                events = self._code_delta(self._code.close())
                events.append(self._delta("", {"type": "input_json_delta", "partial_json": '"}'}))
                block["input"], self._answered = {"code": self._code.text}, False
            case "tool_use":
                block["input"] = _arguments(said)
            case _:
                pass
        events.append({"type": "content_block_stop", "index": len(self._content)})
        self._content.append(block)
        self._block = None
        return events

    def _delta(self, said: str, delta: dict[str, Any]) -> Event:
        self._pieces.append(said)
        return {"type": "content_block_delta", "index": len(self._content), "delta": delta}

    def _message(self, content: Sequence[object], reason: str | None, spent: Usage) -> dict[str, Any]:
        ended = {"content": list(content), "stop_reason": reason, "stop_sequence": None}
        return {**self._head, **ended, "usage": usage(spent), "container": self._container}


_PASSED: Mapping[str, Callable[[MessageFormat, Mapping[str, object]], list[Event]]] = {
    "content_block_start": MessageFormat._start,
    "content_block_delta": MessageFormat._go_on,
    "content_block_stop": MessageFormat._stop,
}
_SAID: Mapping[Part, Callable[[MessageFormat, str], list[Event]]] = {
    Part.TEXT: MessageFormat._prose,
    Part.THOUGHT: MessageFormat._thought,
    Part.CODE: MessageFormat._written_code,
    Part.RESULT: MessageFormat._result,
}


def usage(spent: Usage) -> dict[str, int]:
    """The usage of a reply: the client's prompt, and everything generated."""
    return {"input_tokens": spent.prompt, "output_tokens": spent.completion}


def _reason(outcome: Outcome) -> str:
    return REASONS.get(outcome.reason, "end_turn")


def _arguments(text: str) -> object:
    try:
        value = json.loads(paired(text))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _written(events: Sequence[Event]) -> bytes:
    return b"".join(
        f"event: {event['type']}\ndata: {paired(json.dumps(event))}\n\n".encode() for event in events
    )
