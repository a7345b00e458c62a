"""A client's messages as the model is given them. Pure."""

from collections.abc import Mapping, Sequence

from coderunner.hosts.proxy.client_api.chat_request import Message
from coderunner.hosts.proxy.files.links_for_model import for_the_model


def as_written(messages: Sequence[Message]) -> list[Message]:
    """The messages with our replies as the model wrote them: without inline images and links to the proxy."""
    return [
        {**message, "content": for_the_model(content)}
        if message.get("role") == "assistant" and isinstance(content := message.get("content"), str)
        else message
        for message in messages
    ]


def with_system_prompt(messages: Sequence[Message], prompt: str) -> list[Message]:
    """The messages with `prompt` before the client's own system message."""
    prompt = prompt.strip()
    if not prompt:
        return list(messages)
    has_system = bool(messages) and _is_system(messages[0])
    first, rest = (messages[0], messages[1:]) if has_system else ({}, messages)
    content: object = first.get("content") or ""
    if isinstance(content, str):
        return [{"role": "system", **first, "content": f"{prompt}\n\n{content}".rstrip()}, *rest]
    parts = list(content) if isinstance(content, Sequence) else []
    return [{**first, "content": [{"type": "text", "text": prompt}, *parts]}, *rest]


def _is_system(message: Message) -> bool:
    return message.get("role") in ("system", "developer")


def with_late_results(messages: Sequence[Message], late: str) -> list[Message]:
    """The messages with late results before the last one."""
    if not late:
        return list(messages)
    if not messages:
        return [{"role": "user", "content": late}]
    *before, last = messages
    content: object = last.get("content") or ""
    if isinstance(content, str):
        return [*before, {**last, "content": f"{late}\n{content}"}]
    parts: Sequence[Mapping[str, object]] = content if isinstance(content, Sequence) else []
    return [*before, {**last, "content": [{"type": "text", "text": late}, *parts]}]
