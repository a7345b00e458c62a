"""A Responses request for an endpoint that has this API itself. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from coderunner.hosts.proxy.client_api.client_functions import is_ours
from coderunner.hosts.proxy.client_api.reply_parts import result_again
from coderunner.hosts.proxy.files.file_ids import conversation_of as container_name
from coderunner.hosts.proxy.files.links_for_model import for_the_model
from coderunner.hosts.proxy.files.sent_files import SentFile
from coderunner.hosts.proxy.responses.input_items import READERS, REFERRED, Item, logs_of, text_of
from coderunner.hosts.proxy.responses.response_request import CODE_TOOL, ResponseRequest, tools_of
from coderunner.models.continuation.tool_calls import block
from coderunner.models.responses.response_rounds import further, replied
from coderunner.models.responses.responses_request import ResponsesRequest

APART = frozenset({"model", "input", "stream", "store", "previous_response_id", "conversation", "background"})
_OURS = re.compile(r"(?:msg|rs|fc)_[0-9a-f]{32}_[0-9]+")
"""The ids of items that we have made: no endpoint knows them."""
CALLS = ("tools", "tool_choice", "parallel_tool_calls", "max_tool_calls")
"""The fields that say nothing without tools."""


def native(body: Mapping[str, object], items: Sequence[Item]) -> ResponsesRequest:
    """The request as the endpoint gets it, with our replies among `items` as the model wrote them."""
    fields = {name: value for name, value in body.items() if name not in APART}
    tools = [tool for tool in tools_of(body) if tool.get("type") != CODE_TOOL]
    if tools:
        fields["tools"] = tools
    else:
        fields = {name: value for name, value in fields.items() if name not in CALLS}
    choice = fields.get("tool_choice")
    if isinstance(choice, Mapping) and choice.get("type") == CODE_TOOL:
        del fields["tool_choice"]
    return ResponsesRequest(fields, as_written(items))


def as_written(items: Sequence[Item]) -> list[Item]:
    """The items with code that ran here, and the texts around it, as one message again."""
    known = {str(item.get("id")) for item in items if item.get("type") != REFERRED}
    written: list[Item] = []
    reply = _Reply()
    for item in items:
        kind, ours = str(item.get("type") or "message"), _OURS.fullmatch(str(item.get("id")))
        if kind == "code_interpreter_call" and container_name(str(item.get("container_id") or "")):
            reply.add_code(item)
        elif kind == "message" and ours:
            if not reply.goes_on:
                written += reply.take()
            reply.add_message(item)
        elif kind in ("function_call", "function_call_output") and is_ours(item.get("call_id")):
            continue  # of a block, which waited for it
        elif (kind == "reasoning" and ours) or (kind == REFERRED and str(item.get("id")) in known):
            continue
        else:
            written += [*reply.take(), _without_id(item) if ours else item]
    return [*written, *reply.take()]


def readable(asked: ResponseRequest) -> ResponseRequest:
    """The request without what chat completions have no word for, so that all else of it can be read."""
    tools = [tool for tool in tools_of(asked.body) if tool.get("type") in ("function", CODE_TOOL)]
    body = {**asked.body, "tools": tools, "prompt": None}
    return replace(asked, body=body, items=readable_items(asked.items))


def readable_items(items: Sequence[Item]) -> list[Item]:
    """The items of which chat completions can be told, with the parts of which they can."""
    return [_readable(item) for item in items if str(item.get("type") or "message") in READERS]


def with_files(
    request: ResponsesRequest,
    files: Iterator[Sequence[SentFile]],
    words: Callable[[Sequence[SentFile]], str],
) -> ResponsesRequest:
    """The request with `words` on its files, in place of those whose content is in the chat's folder.

    `files` are those of each message of the user's.
    """
    items = [
        _in_words(item, words(its)) if _is_users(item) and (its := next(files, ())) else item
        for item in request.items
    ]
    return replace(request, items=items)


def with_lesson(request: ResponsesRequest, lesson: str) -> ResponsesRequest:
    """The request with `lesson` before the client's own instructions."""
    lesson, given = lesson.strip(), request.body.get("instructions")
    if not lesson:
        return request
    said = given if isinstance(given, str) else ""
    return replace(request, body={**request.body, "instructions": f"{lesson}\n\n{said}".rstrip()})


def with_words(request: ResponsesRequest, words: str) -> ResponsesRequest:
    """The request with words of ours before what the user said last, after answers of tools."""
    if not words:
        return request
    if not request.items or not _is_users(request.items[-1]):
        told = {"type": "message", "role": "user", "content": words}
        return replace(request, items=[*request.items, told])
    *before, last = request.items
    content = last.get("content")
    if isinstance(content, str):
        said: object = f"{words}\n{content}"
    else:
        said = [{"type": "input_text", "text": words}, *_several(content)]
    return replace(request, items=[*before, {**last, "content": said}])


class _Reply:
    """A reply of ours that is being put together."""

    def __init__(self) -> None:
        self._text = ""
        self._fields: Mapping[str, object] = {}
        self.goes_on = False
        """Code was its last part, so that a message after it belongs to it."""

    def add_code(self, item: Item) -> None:
        self._add(f"{block(str(item.get('code') or ''))}{result_again(logs_of(item))}")
        self.goes_on = True

    def add_message(self, item: Item) -> None:
        self._add(for_the_model(text_of(item.get("content"))))
        self._fields = further(item)
        self.goes_on = False

    def take(self) -> list[Item]:
        taken = replied(self._text, self._fields)
        self._text, self._fields, self.goes_on = "", {}, False
        return taken

    def _add(self, text: str) -> None:
        apart = "" if not self._text or self._text.endswith("\n") else "\n\n"
        self._text += f"{apart}{text}"


def _without_id(item: Item) -> Item:
    return {name: value for name, value in item.items() if name != "id"}


def _readable(item: Item) -> Item:
    content = item.get("content")
    if isinstance(content, str) or "content" not in item:
        return item
    return {**item, "content": [part for part in _several(content) if _is_readable(part)]}


def _is_readable(part: object) -> bool:
    if not isinstance(part, Mapping):
        return False
    match part.get("type"):
        case "input_file":
            return bool(part.get("file_data"))
        case "input_image":
            return isinstance(part.get("image_url"), str)
        case _:
            return True


def _is_users(item: Item) -> bool:
    return item.get("type") in (None, "message") and item.get("role", "user") == "user"


def _in_words(item: Item, words: str) -> Item:
    """A message whose files the model reads of: their words stand where the first of them stood."""
    parts: list[object] = []
    said = False
    for part in _several(item.get("content")):
        file = isinstance(part, Mapping) and part.get("type") == "input_file" and part.get("file_data")
        picture = isinstance(part, Mapping) and str(part.get("image_url") or "").startswith("data:")
        if (file or picture) and words and not said:
            said = True
            parts.append({"type": "input_text", "text": words})
        if not file:
            parts.append(part)
    return {**item, "content": parts}


def _several(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()
