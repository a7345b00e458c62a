"""What an MCP server gave, as the values that code gets."""

import json

from coderunner.tools.answer import LARGEST, Answer
from coderunner.tools.sdk.session import Json
from coderunner.tools.tool import Tool, unwrapped


def answer_of(result: Json, tool: Tool) -> Answer:
    """What code gets of a result: the structured content, else the text, else texts and images in order."""
    parts = [_part(each) for each in result["content"]]
    texts = [each for each in parts if isinstance(each, str)]
    if result.get("isError"):
        return Answer(
            error="\n".join(texts).strip() or f"{tool.name} failed, and its server does not say why"
        )
    if len(texts) < len(parts):
        answer = Answer(parts, parts=True)
    elif (structured := result.get("structuredContent")) is not None:
        answer = Answer(_unwrapped(structured, tool))
    else:
        answer = Answer("\n".join(texts))
    size = _size(answer.value)
    if size > LARGEST:
        return Answer(
            error=f"{tool.name} gave {size / 1e6:.1f} MB; at most {LARGEST / 1e6:.1f} MB can be passed on"
        )
    return answer


def _size(value: object) -> int:
    return len(json.dumps(value))


def _unwrapped(content: object, tool: Tool) -> object:
    if tool.output is not None and unwrapped(tool.output) is not None and isinstance(content, dict):
        return content.get("result")
    return content


def _is_image(mime: str) -> bool:
    return mime.startswith("image/")


def _part(content: Json) -> "str | dict[str, str]":
    match content:
        case {"type": "text", "text": str(text)} | {"type": "resource", "resource": {"text": str(text)}}:
            return text
        case {"type": "image", "data": str(data), "mimeType": str(mime)}:
            return {"mime": mime, "data": data}
        case {"type": "resource", "resource": {"blob": str(data), "mimeType": str(mime)}} if _is_image(mime):
            return {"mime": mime, "data": data}
        case {"type": "resource_link", "uri": str(uri)}:
            return uri
    return f"[{content.get('type', 'content')} that cannot be passed on]"
