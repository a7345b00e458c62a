"""What an MCP server gave, as the values that code gets."""

import json

from mcp.types import (
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from coderunner.tools.answer import LARGEST, Answer
from coderunner.tools.tool import Tool, unwrapped


def answer_of(result: CallToolResult, tool: Tool) -> Answer:
    """What code gets of a result: the structured content, else the text, else texts and images in order."""
    parts = [_part(each) for each in result.content]
    texts = [each for each in parts if isinstance(each, str)]
    if result.is_error:
        return Answer(
            error="\n".join(texts).strip() or f"{tool.name} failed, and its server does not say why"
        )
    if len(texts) < len(parts):
        answer = Answer(parts, parts=True)
    elif result.structured_content is not None:
        answer = Answer(_unwrapped(result.structured_content, tool))
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


def _part(content: object) -> "str | dict[str, str]":
    match content:
        case TextContent(text=text):
            return text
        case ImageContent(data=data, mime_type=mime):
            return {"mime": mime, "data": data}
        case EmbeddedResource(resource=TextResourceContents(text=text)):
            return text
        case ResourceLink(uri=uri):
            return str(uri)
    return f"[{getattr(content, 'type', 'content')} that cannot be passed on]"
