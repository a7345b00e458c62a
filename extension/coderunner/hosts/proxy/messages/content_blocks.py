"""The content of Anthropic's messages as messages of chat completions. Pure."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence

from coderunner.hosts.proxy.client_api.chat_request import FAILED, Message, UnusableRequest
from coderunner.hosts.proxy.client_api.reply_parts import result_again
from coderunner.models.continuation.tool_calls import block

Block = Mapping[str, object]

UNKNOWN_BLOCK = (
    "Message {at} has a block {kind}, which the proxy cannot give to a model of chat completions; "
    "leave it out."
)
NO_FILE = (
    "There is no file {which} here: upload it to the proxy (POST /v1/files), or send it as a block document."
)
NO_MESSAGE = "Message {at} is not an object with a role and content."


def messages_of(given: object) -> list[Message]:
    """The messages of a request for chat completions. Raises UnusableRequest."""
    messages: list[dict[str, object]] = []
    for at, message in enumerate(given if isinstance(given, Sequence) else ()):
        if not isinstance(message, Mapping) or message.get("role") not in ("user", "assistant", "system"):
            raise UnusableRequest(NO_MESSAGE.format(at=at))
        role, content = str(message["role"]), message.get("content")
        if isinstance(content, str):
            messages.append({"role": role, "content": content})
        elif role == "assistant":
            messages.append(_reply(at, blocks_of(content)))
        else:
            messages += _said(at, role, blocks_of(content))
    return list(messages)


def blocks_of(content: object) -> list[Block]:
    """The blocks of a content."""
    blocks = content if isinstance(content, Sequence) and not isinstance(content, str) else ()
    return [each for each in blocks if isinstance(each, Mapping)]


def text_of(content: object) -> str:
    """The text of a content."""
    if isinstance(content, str):
        return content
    return "\n\n".join(
        str(each.get("text") or "") for each in blocks_of(content) if each.get("type") == "text"
    )


def _said(at: int, role: str, blocks: Sequence[Block]) -> list[dict[str, object]]:
    """What the user says, after the answers of the client's tools that it brings."""
    answers: list[dict[str, object]] = []
    parts: list[object] = []
    for each in blocks:
        kind = str(each.get("type"))
        if kind == "tool_result":
            call, text = str(each.get("tool_use_id") or ""), _answered(each)
            failed = {FAILED: True} if each.get("is_error") is True else {}
            answers.append({"role": "tool", "tool_call_id": call, "content": text, **failed})
        elif kind in PARTS:
            parts.append(PARTS[kind](each))
        else:
            raise UnusableRequest(UNKNOWN_BLOCK.format(at=at, kind=repr(kind[:80])))
    said: list[dict[str, object]] = [{"role": role, "content": parts}] if parts else []
    return [*answers, *said]


def _answered(result: Block) -> object:
    """What a tool gave: a text, or where it gave images its texts and images."""
    content = result.get("content")
    known = {"text": _text, "image": _image}
    read = [(str(each.get("type")), each) for each in blocks_of(content)]
    if not any(kind == "image" for kind, _ in read):
        return text_of(content)
    return [known[kind](each) for kind, each in read if kind in known]


def _text(each: Block) -> object:
    return {"type": "text", "text": str(each.get("text") or "")}


def _image(each: Block) -> object:
    return {"type": "image_url", "image_url": {"url": _address(each)}}


def _document(each: Block) -> object:
    its = each.get("source")
    source = its if isinstance(its, Mapping) else {}
    if source.get("type") == "content":
        return {"type": "text", "text": text_of(source.get("content"))}
    name = str(each.get("title") or "document")
    return {"type": "file", "file": {"filename": name, "file_data": _address(each)}}


def _address(each: Block) -> str:
    """The source of a block as a URL: its content, or where it is."""
    its = each.get("source")
    source = its if isinstance(its, Mapping) else {}
    kind, data = source.get("type"), str(source.get("data") or "")
    mime = str(source.get("media_type") or "application/octet-stream")
    match kind:
        case "base64":
            return f"data:{mime};base64,{data}"
        case "text":
            return f"data:{mime};base64,{b64encode(data.encode('utf-8', 'replace')).decode()}"
        case "file":
            raise UnusableRequest(NO_FILE.format(which=repr(str(source.get("file_id"))[:80])))
        case _:
            return str(source.get("url") or "")


PARTS: Mapping[str, Callable[[Block], object]] = {"text": _text, "image": _image, "document": _document}


def _reply(at: int, blocks: Sequence[Block]) -> dict[str, object]:
    """A reply as the model wrote it: with the code as blocks of its text."""
    written: list[str] = []
    calls: list[object] = []
    for each in blocks:
        kind = str(each.get("type"))
        given = each.get("input")
        match kind:
            case "text":
                written.append(str(each.get("text") or ""))
            case "server_tool_use" if isinstance(given, Mapping):
                written.append(block(str(given.get("code") or "")))
            case "code_execution_tool_result":
                written.append(result_again(logs_of(each.get("content"))))
            case "tool_use":
                calls.append(_call(each))
            case "thinking" | "redacted_thinking":
                pass
            case _:
                raise UnusableRequest(UNKNOWN_BLOCK.format(at=at, kind=repr(kind[:80])))
    text = "".join(f"{each}" if each.endswith("\n") or not each else f"{each}\n" for each in written)
    reply: dict[str, object] = {"role": "assistant", "content": text.removesuffix("\n")}
    return {**reply, "tool_calls": calls} if calls else reply


def _call(use: Block) -> object:
    function = {"name": str(use.get("name") or ""), "arguments": json.dumps(use.get("input") or {})}
    return {"id": str(use.get("id") or ""), "type": "function", "function": function}


def logs_of(content: object) -> str:
    """What a result has shown."""
    its = content if isinstance(content, Mapping) else {}
    return f"{its.get('stdout') or ''}{its.get('stderr') or ''}"
