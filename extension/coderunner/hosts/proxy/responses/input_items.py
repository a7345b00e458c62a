"""The items of a Responses request as the messages of a chat. Pure.

Items of the API are finer than messages: a reply with two blocks comes back as a message, a call of the code
interpreter, a message, a call and a message. For a chat model they are one message again, as it was written.
"""

from collections.abc import Callable, Mapping, Sequence

from coderunner.hosts.proxy.client_api.chat_request import Message, UnusableRequest
from coderunner.hosts.proxy.client_api.reply_parts import result_again
from coderunner.models.continuation.tool_calls import block

Item = Mapping[str, object]

NOT_AN_ITEM = "Item {at} of the input is not an object with a type or a role."
UNKNOWN_ITEM = (
    "Item {at} of the input is a {kind}, which the proxy cannot give to a model of chat completions; "
    "leave it out."
)
REFERENCE = "Item {at} of the input refers to {which}, which is not in the previous response: send it whole."
TEXTS = ("input_text", "output_text", "text", "summary_text", "reasoning_text")
"""The parts of content that are text; the others are files and images, which chats have under these names."""


def items_of(given: object) -> list[Item]:
    """The items of a request's `input`, which may be a text. Raises UnusableRequest."""
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    items = given if isinstance(given, Sequence) else ()
    for at, item in enumerate(items):
        if not isinstance(item, Mapping) or not (item.get("type") or item.get("role")):
            raise UnusableRequest(NOT_AN_ITEM.format(at=at))
    return list(items)


def messages_of(items: Sequence[Item]) -> list[Message]:
    """The items as messages. Raises UnusableRequest."""
    known = {str(item.get("id")) for item in items if item.get("type") != REFERRED}
    messages: list[dict[str, object]] = []
    for at, item in enumerate(items):
        kind = str(item.get("type") or "message")
        if kind == REFERRED:
            if str(item.get("id")) not in known:
                raise UnusableRequest(REFERENCE.format(at=at, which=repr(str(item.get("id"))[:80])))
            continue  # it stands where it was said
        read = READERS.get(kind)
        if read is None:
            raise UnusableRequest(UNKNOWN_ITEM.format(at=at, kind=kind[:80]))
        read(item, messages)
    return list(messages)


def container_of(items: Sequence[Item]) -> str:
    """The container of the last call of the code interpreter; empty where there is none."""
    calls = (item for item in reversed(items) if item.get("type") == "code_interpreter_call")
    return str(next(calls, {}).get("container_id") or "")


def logs_of(call: Item) -> str:
    """What a call of the code interpreter has shown."""
    outputs = call.get("outputs")
    return "".join(
        str(each.get("logs") or "")
        for each in (outputs if isinstance(outputs, Sequence) else ())
        if isinstance(each, Mapping) and each.get("type") == "logs"
    )


def text_of(content: object) -> str:
    """The text of a content."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, Sequence) else ()
    told = (part for part in parts if isinstance(part, Mapping))
    return "".join(
        str((part.get("refusal") if part.get("type") == "refusal" else part.get("text")) or "")
        for part in told
    )


def _message(item: Item, messages: list[dict[str, object]]) -> None:
    role = str(item.get("role") or "user")
    if role == "assistant":
        _add_to_reply(text_of(item.get("content")), messages)
        return
    content = item.get("content")
    messages.append({"role": role, "content": content if isinstance(content, str) else _parts(content)})


def _code(item: Item, messages: list[dict[str, object]]) -> None:
    said = block(str(item.get("code") or ""))
    _add_to_reply(f"{said}{result_again(logs_of(item))}", messages)


def _call(item: Item, messages: list[dict[str, object]]) -> None:
    reply = _reply(messages)
    calls = reply.setdefault("tool_calls", [])
    function = {"name": str(item.get("name") or ""), "arguments": str(item.get("arguments") or "{}")}
    if isinstance(calls, list):
        calls.append({"id": str(item.get("call_id") or ""), "type": "function", "function": function})


def _answer(item: Item, messages: list[dict[str, object]]) -> None:
    output = item.get("output")
    call = str(item.get("call_id") or "")
    said: object = text_of(output)
    if any(part.get("type") == "input_image" for part in _texts(output)):
        said = [_image(part) if part.get("type") == "input_image" else part for part in _texts(output)]
    messages.append({"role": "tool", "tool_call_id": call, "content": said})


def _texts(content: object) -> "list[Mapping[str, object]]":
    return [part for part in _parts(content) if isinstance(part, Mapping)]


def _image(part: Mapping[str, object]) -> Mapping[str, object]:
    return {"type": "image_url", "image_url": {"url": str(part.get("image_url") or "")}}


def _nothing(_item: Item, _messages: list[dict[str, object]]) -> None:
    """Thoughts are not given back."""


REFERRED = "item_reference"
READERS: Mapping[str, Callable[[Item, list[dict[str, object]]], None]] = {
    "message": _message,
    "code_interpreter_call": _code,
    "function_call": _call,
    "function_call_output": _answer,
    "reasoning": _nothing,
}


def _reply(messages: list[dict[str, object]]) -> dict[str, object]:
    """The reply that is being put together: the last message where that is one."""
    if not messages or messages[-1]["role"] != "assistant":
        messages.append({"role": "assistant", "content": ""})
    return messages[-1]


def _add_to_reply(text: str, messages: list[dict[str, object]]) -> None:
    reply = _reply(messages)
    before = str(reply["content"])
    reply["content"] = f"{before}{'' if before.endswith(chr(10)) or not before else chr(10)}{text}"


def _parts(content: object) -> list[object]:
    parts = content if isinstance(content, Sequence) else ()
    return [
        {"type": "text", "text": str(part.get("text") or "")}
        if isinstance(part, Mapping) and part.get("type") in TEXTS
        else part
        for part in parts
    ]
