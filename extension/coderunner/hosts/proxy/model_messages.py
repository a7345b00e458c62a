"""A client's messages as the model is given them. Pure."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from coderunner.hosts.proxy.client_api.chat_request import Message, text_of
from coderunner.hosts.proxy.files.links_for_model import for_the_model

IMAGES = "[images from the tool {name}]"
"""What stands before the images of one answer, so that the model knows whose they are."""


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


def with_images_of_answers(messages: Sequence[Message]) -> list[Message]:
    """The messages with the images of tools' answers in a message of the user's that follows them.

    Of a tool, servers of chat completions take texts alone; where the user goes on after the answers, the
    images come before that.
    """
    told: list[Message] = []
    images: list[object] = []
    for is_answer, group in groupby(messages, lambda message: message.get("role") == "tool"):
        if is_answer:
            names = _names(told[-1] if told else {})
            for message in group:
                shown = _images(message.get("content"))
                if shown:
                    label = IMAGES.format(
                        name=names.get(str(message.get("tool_call_id"))) or "that was called"
                    )
                    images += [{"type": "text", "text": label}, *shown]
                    message = {**message, "content": text_of(message.get("content")) or label}
                told.append(message)
            continue
        first, *rest = group
        if images and first.get("role") == "user":
            first = {**first, "content": [*images, *_parts(first.get("content"))]}
        elif images:
            told.append({"role": "user", "content": images})
        images = []
        told += [first, *rest]
    return [*told, {"role": "user", "content": images}] if images else told


def _names(reply: Message) -> Mapping[str, str]:
    """What the tools that a reply calls are called, by the calls' ids."""
    calls = reply.get("tool_calls")
    return {
        str(call.get("id")): str(function.get("name") or "")
        for call in (calls if isinstance(calls, list) else ())
        if isinstance(call, Mapping) and isinstance(function := call.get("function"), Mapping)
    }


def _images(content: object) -> list[object]:
    return [
        part
        for part in (content if isinstance(content, list) else ())
        if isinstance(part, Mapping) and part.get("type") == "image_url"
    ]


def _parts(content: object) -> Sequence[object]:
    """A content as its parts."""
    return content if isinstance(content, list) else [{"type": "text", "text": str(content or "")}]
