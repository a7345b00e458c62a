"""A request of the Messages API for an endpoint that has this API itself. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from coderunner.hosts.proxy.client_api.client_functions import is_ours
from coderunner.hosts.proxy.client_api.reply_parts import result_again
from coderunner.hosts.proxy.files.file_ids import conversation_of as container_name
from coderunner.hosts.proxy.files.links_for_model import for_the_model
from coderunner.hosts.proxy.files.sent_files import SentFile
from coderunner.hosts.proxy.messages.content_blocks import PARTS, Block, blocks_of, logs_of
from coderunner.hosts.proxy.messages.message_request import CODE_TOOL, ran_in
from coderunner.models.continuation.tool_calls import block
from coderunner.models.messages.message_rounds import merged
from coderunner.models.messages.messages_request import Message, MessagesRequest

APART = frozenset({"model", "messages", "stream"})
FIELDS = ("anthropic-version", "anthropic-beta")
"""Headers of the API itself."""
REPLIED = frozenset(
    {"text", "server_tool_use", "code_execution_tool_result", "tool_use", "thinking", "redacted_thinking"}
)
"""Blocks of a reply that can be told to a model of chat completions."""
SENT = frozenset({"base64", "text"})
"""Sources of a document whose content is in the request."""


def native(body: Mapping[str, object], headers: Mapping[str, str], prior: str) -> MessagesRequest:
    """The request as the endpoint gets it, with our replies as the model wrote them.

    `prior` is the text with which the client has begun the reply, if it has.
    """
    given = [message for message in _several(body.get("messages")) if isinstance(message, Mapping)]
    messages = _without_calls([_as_written(message) for message in given])
    begun: Sequence[Block] = ()
    if messages and messages[-1].get("role") == "assistant":
        content = messages.pop().get("content")
        begun = [{"type": "text", "text": content}] if isinstance(content, str) else blocks_of(content)
    tools = [each for each in blocks_of(body.get("tools")) if not _is_ours(each)]
    fields = {name: value for name, value in body.items() if name not in APART}
    if "tools" in fields:
        fields = {**fields, "tools": tools} if tools else _without(fields, ("tools", "tool_choice"))
    container = fields.get("container")
    named = container.get("id") if isinstance(container, Mapping) else container
    if container_name(str(named or "")):
        fields = _without(fields, ("container",))
    told = {name: headers[name] for name in FIELDS if name in headers}
    return MessagesRequest(fields, messages, begun, prior if begun else "", told)


def readable(body: Mapping[str, object]) -> Mapping[str, object]:
    """The request without what chat completions have no word for, so that all else of it can be read."""
    messages = [_readable(message) for message in _several(body.get("messages"))]
    tools = [each for each in blocks_of(body.get("tools")) if each.get("type", "custom") == "custom"]
    return {**body, "messages": messages, "tools": tools}


def with_files(
    request: MessagesRequest, files: Iterator[Sequence[SentFile]], words: Callable[[Sequence[SentFile]], str]
) -> MessagesRequest:
    """The request with `words` on its files, in place of documents whose content is in the chat's folder.

    `files` are those of each message of the user's that says something.
    """
    messages = [
        _in_words(message, words(its)) if _speaks(message) and (its := next(files, ())) else message
        for message in request.messages
    ]
    return replace(request, messages=messages)


def with_lesson(request: MessagesRequest, lesson: str) -> MessagesRequest:
    """The request with `lesson` before the client's own system prompt."""
    lesson, system = lesson.strip(), request.body.get("system")
    if not lesson:
        return request
    if isinstance(system, Sequence) and not isinstance(system, str):
        whole: object = [{"type": "text", "text": lesson}, *system]
    else:
        whole = f"{lesson}\n\n{system or ''}".rstrip()
    return replace(request, body={**request.body, "system": whole})


def with_words(request: MessagesRequest, words: str) -> MessagesRequest:
    """The request with words of ours before what the user said last, after answers of tools."""
    if not words or not request.messages or request.messages[-1].get("role") != "user":
        return request
    *before, last = request.messages
    content = last.get("content")
    if isinstance(content, str):
        return replace(request, messages=[*before, {**last, "content": f"{words}\n{content}"}])
    blocks = blocks_of(content)
    answers = [each for each in blocks if each.get("type") == "tool_result"]
    rest = [each for each in blocks if each.get("type") != "tool_result"]
    told = [*answers, {"type": "text", "text": words}, *rest]
    return replace(request, messages=[*before, {**last, "content": told}])


def _as_written(message: Message) -> Message:
    """A message of the history: a reply in which code ran here is text again."""
    content = message.get("content")
    if message.get("role") != "assistant":
        return message
    if isinstance(content, str):
        return {**message, "content": for_the_model(content)}
    blocks = blocks_of(content)
    ours = {each.get("id") for each in blocks if ran_in(each)}
    if not ours:
        return message
    written: list[Block] = []
    for each in blocks:
        given = each.get("input")
        if each.get("id") in ours and isinstance(given, Mapping):
            before = str(written[-1].get("text") or "") if written else ""
            apart = "" if not before or before.endswith("\n") else "\n\n"
            written.append({"type": "text", "text": apart + block(str(given.get("code") or ""))})
        elif each.get("tool_use_id") in ours:
            again = result_again(logs_of(each.get("content")))
            written.append({"type": "text", "text": again if again.endswith("\n") else f"{again}\n"})
        elif each.get("type") == "text":
            written.append({**each, "text": for_the_model(str(each.get("text") or ""))})
        else:
            written.append(each)
    return {**message, "content": merged(written)}


def _without_calls(messages: Sequence[Message]) -> list[Message]:
    """The messages without calls of our blocks and their answers; what was one reply is one again."""
    kept: list[Message] = []
    waits = False
    for message in messages:
        blocks = blocks_of(message.get("content"))
        rest = [each for each in blocks if not (is_ours(each.get("id")) or is_ours(each.get("tool_use_id")))]
        if len(rest) == len(blocks):
            again = message
        elif rest:
            again = {**message, "content": rest}
        else:
            continue
        if waits and again.get("role") == "assistant":
            again = {**again, "content": merged([*_blocks(kept.pop()), *_blocks(again)])}
        waits = again.get("role") == "assistant" and len(rest) < len(blocks)
        kept.append(again)
    return kept


def _blocks(message: Message) -> list[Block]:
    content = message.get("content")
    return [{"type": "text", "text": content}] if isinstance(content, str) else blocks_of(content)


def _is_ours(tool: Block) -> bool:
    return str(tool.get("type") or "").startswith(CODE_TOOL)


def _readable(message: object) -> object:
    if not isinstance(message, Mapping) or isinstance(message.get("content"), str):
        return message
    replied = message.get("role") == "assistant"
    kept = [
        each
        for each in blocks_of(message.get("content"))
        if (each.get("type") in REPLIED if replied else _is_readable(each))
    ]
    return {**message, "content": kept or ""}


def _is_readable(each: Block) -> bool:
    kind, its = each.get("type"), each.get("source")
    source = its.get("type") if isinstance(its, Mapping) else ""
    if kind == "document":
        return source in (*SENT, "content")
    return kind == "tool_result" or (kind in PARTS and source != "file")


def _speaks(message: Message) -> bool:
    """Whether a message is one of the user's that says something, beside answers of tools."""
    if message.get("role") != "user":
        return False
    content = message.get("content")
    if isinstance(content, str):
        return True
    blocks = [each for each in blocks_of(content) if _is_readable(each)]
    return not blocks or any(each.get("type") != "tool_result" for each in blocks)


def _in_words(message: Message, words: str) -> Message:
    """A message whose files the model reads of: their words stand where the first of them stood."""
    blocks: list[Block] = []
    said = False
    for each in blocks_of(message.get("content")):
        its = each.get("source")
        sent = isinstance(its, Mapping) and its.get("type") in SENT
        if sent and words and not said:
            said = True
            blocks.append({"type": "text", "text": words})
        if not (sent and each.get("type") == "document"):
            blocks.append(each)
    return {**message, "content": blocks}


def _without(fields: Mapping[str, object], names: Sequence[str]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if name not in names}


def _several(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()
