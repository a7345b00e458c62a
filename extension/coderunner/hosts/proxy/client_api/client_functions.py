"""A client's own tools, as functions for blocks, and their calls in what the client sends back. Pure.

A call of a block ends the response with a call of a tool, under an id of ours. The client's next request has
it in its history, with the answer. To the model it is a part of the block: it and the answer are taken out,
and the texts before and after it are one reply again.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from coderunner.hosts.proxy.client_api.chat_request import FAILED, ChatRequest, ClientAnswer, Message, text_of
from coderunner.tools.tool import Tool, described

PREFIX = "call_coderunner_"
"""How the ids of our calls begin; no server's own do."""
MOST, MOST_PARAMETERS = 128, 100
"""Tools of one request, as many as OpenAI takes, and what is told of the parameters of one."""
DEEPEST = 6
"""Levels of a schema that are read."""
IMAGE = re.compile(r"\s*data:(image/[\w.+-]+)(?:;[^,;]{0,100}){0,8}?;base64,", re.IGNORECASE)
"""How an image begins that is in a request itself."""
LOST = "Result: (stopped: {names} got no answer from the chat program in time)\n"
GOES_ON = ("Result", "Later output")
"""How what follows a call begins, where its block has ended as others do."""


def functions(options: Mapping[str, object]) -> tuple[Tool, ...]:
    """The functions of a request of chat completions; none where it wants no calls."""
    given = options.get("tools")
    if not isinstance(given, list) or options.get("tool_choice") == "none":
        return ()
    return tuple(tool for each in given[:MOST] if (tool := _function(each)) is not None)


def _function(given: object) -> Tool | None:
    match given:
        case {"type": "function", "function": {"name": str(name), **said}} if name.strip():
            schema = said.get("parameters")
            return Tool("", name, "", *described(said.get("description")), _bounded(schema))
    return None


def _bounded(schema: object) -> Mapping[str, object]:
    """What of a schema a function is made of; only what is in it can be an argument."""
    its = schema if isinstance(schema, Mapping) else {}
    known = its.get("properties")
    properties = known if isinstance(known, Mapping) else {}
    few = dict(list(properties.items())[:MOST_PARAMETERS])
    more = its.get("additionalProperties", not few or len(few) < len(properties)) is not False
    needed = its.get("required")
    required = [each for each in (needed if isinstance(needed, list) else ()) if isinstance(each, str)]
    shown = {"properties": _cut(few, DEEPEST), "required": required[: 2 * MOST_PARAMETERS]}
    return {"type": "object", **shown, "additionalProperties": more}


def _cut(value: object, depth: int) -> object:
    """A value without what lies deeper."""
    if isinstance(value, Mapping):
        return {str(key): _cut(each, depth - 1) for key, each in value.items()} if depth else {}
    if isinstance(value, list):
        return [_cut(each, depth - 1) for each in value] if depth else []
    return value


def with_functions(asked: ChatRequest) -> ChatRequest:
    """The request with the client's functions for its blocks, and without their calls in its history."""
    history = folded(asked.history)
    begun = history.messages.pop() if asked.prior or history.answers else {}
    return replace(
        asked,
        messages=history.messages,
        prior=str(begun.get("content") or ""),
        tools=functions(asked.options),
        answers=history.answers,
    )


@dataclass
class Folded:
    """A history without our calls."""

    messages: list[Message] = field(default_factory=list)
    answers: dict[str, ClientAnswer] = field(default_factory=dict)
    """What the client answers to those that its last message is about, by their ids."""
    _waiting: str = ""
    """The names of those that the last reply has made, until more is known of it."""

    def receive(self, message: Message) -> None:
        """Take one message more."""
        failed = message.get(FAILED) is True
        if FAILED in message:
            message = {key: message[key] for key in message if key != FAILED}
        if self._waiting and message.get("role") == "tool" and is_ours(message.get("tool_call_id")):
            self.answers[str(message["tool_call_id"])] = _answer(message.get("content"), failed=failed)
            return
        waited, self._waiting, self.answers = self._waiting, "", {}
        ours = [call for call in _calls(message) if is_ours(call.get("id"))]
        rest = [call for call in _calls(message) if call not in ours]
        if ours:
            self._waiting = ", ".join(dict.fromkeys(map(_name, ours)))
            message = {**message, "content": text_of(message.get("content")), "tool_calls": rest}
            message = message if rest else {key: message[key] for key in message if key != "tool_calls"}
        if waited and message.get("role") == "assistant":
            before = str(self.messages[-1]["content"])
            after = text_of(message.get("content"))
            self.messages[-1] = {**message, "content": _joined(before, after, waited)}
            return
        self._give_up(waited)
        self.messages.append(message)

    def close(self) -> "Folded":
        """The history ends."""
        self._give_up(self._waiting)
        return self

    def _give_up(self, waited: str) -> None:
        if waited:
            before = str(self.messages[-1]["content"])
            self.messages[-1] = {**self.messages[-1], "content": _joined(before, "", waited, lost=True)}


def _answer(content: object, *, failed: bool) -> ClientAnswer:
    """What a client answers, whose content may come in parts."""
    given = content if isinstance(content, list) else ()
    read = [_part(part) for part in given if isinstance(part, Mapping)]
    parts = [part for part in read if part]
    pictured = any(not isinstance(part, str) for part in parts)
    return ClientAnswer(text_of(content), failed, parts if pictured else ())


def _part(part: Mapping[str, object]) -> str | Mapping[str, str]:
    """A text or an image; of an image that is elsewhere its address, and nothing of anything else."""
    match part:
        case {"type": "text", "text": str(text)}:
            return text
        case {"type": "image_url", "image_url": {"url": str(url)} | str(url)}:
            image = IMAGE.match(url)
            return {"mime": image[1].lower(), "data": url[image.end() :]} if image else url
    return ""


def folded(messages: Sequence[Message]) -> Folded:
    """A client's messages as if our calls had never left their blocks."""
    history = Folded()
    for message in messages:
        history.receive(message)
    return history.close()


def is_ours(identity: object) -> bool:
    """Whether a call is one of a block."""
    return isinstance(identity, str) and identity.startswith(PREFIX)


def _joined(before: str, after: str, names: str, *, lost: bool = False) -> str:
    """The text before a call and after it; where the block has no result there, with a word in its place."""
    lost = lost or bool(after.strip() and not after.lstrip().startswith(GOES_ON))
    below = LOST.format(names=names) + after if lost else after
    apart = not below or before.endswith("\n") or below.startswith("\n")
    return before + below if apart else f"{before}\n{below}"


def _calls(message: Message) -> list[Mapping[str, object]]:
    calls = message.get("tool_calls")
    known = calls if isinstance(calls, list) and message.get("role") == "assistant" else ()
    return [call for call in known if isinstance(call, Mapping)]


def _name(call: Mapping[str, object]) -> str:
    function = call.get("function")
    return str(function.get("name"))[:120] if isinstance(function, Mapping) else "a tool"
