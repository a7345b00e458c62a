"""Reads a request of the Messages API, and decides whether its code is run here. Pure."""

from collections.abc import Mapping, Sequence

from coderunner.hosts.proxy.client_api.chat_request import (
    VARIABLES_SUFFIX,
    ChatRequest,
    UnusableRequest,
    plain,
)
from coderunner.hosts.proxy.files.file_ids import conversation_of as container_name
from coderunner.hosts.proxy.files.file_ids import from_digits
from coderunner.hosts.proxy.messages.content_blocks import Block, blocks_of, messages_of, text_of

TOOL_USE = "srvtoolu_"
"""The beginning of the id of a block that ran.

The name of the conversation, that of the reply and a number follow, with `_` between them.
"""
CODE_TOOL = "code_execution"
"""The beginning of the types of the tool that runs code."""
NO_TOOL = (
    "The proxy has no tool {kind}: it runs code (`code_execution`) and passes on calls of the client's own "
    "tools."
)
NO_MESSAGES = "The request has no `messages`."
OPTIONS: Mapping[str, str] = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "stop_sequences": "stop",
}
"""The fields that chat completions have as well, and how they call them."""
CHOICES: Mapping[object, object] = {"any": "required", "none": "none"}


def chat_of(body: Mapping[str, object], default: str = "") -> ChatRequest:
    """A request for which `reads` is true as one of chat completions. Raises UnusableRequest."""
    named = str(body.get("model") or default)
    messages = messages_of(body.get("messages"))
    if not messages:
        raise UnusableRequest(NO_MESSAGES)
    prior = ""
    if messages[-1]["role"] == "assistant" and not messages[-1].get("tool_calls"):
        prior = str(messages.pop()["content"])
    system = text_of(body.get("system"))
    first = [{"role": "system", "content": system}] if system.strip() else []
    options = {chat: body[name] for name, chat in OPTIONS.items() if body.get(name) is not None}
    return ChatRequest(
        plain(named),
        named,
        [*first, *messages],
        prior,
        {**options, **_tools(body)},
        streams=body.get("stream") is True,
        variables=named.endswith(VARIABLES_SUFFIX),
    )


def conversation_of(body: Mapping[str, object]) -> str:
    """The name of the conversation that a request names by a container or by a block that ran; or nothing."""
    container = body.get("container")
    named = container.get("id") if isinstance(container, Mapping) else container
    if name := container_name(str(named or "")):
        return name
    messages = body.get("messages")
    for message in reversed(messages if isinstance(messages, Sequence) else ()):
        for each in blocks_of(message.get("content")) if isinstance(message, Mapping) else ():
            if name := ran_in(each):
                return name
    return ""


def ran_in(block: Block) -> str:
    """The name of the conversation in which a block's code ran here; empty where it did not."""
    if block.get("type") != "server_tool_use":
        return ""
    digits, apart, _ = str(block.get("id") or "").removeprefix(TOOL_USE).partition("_")
    return from_digits(digits) if apart else ""


def _tools(body: Mapping[str, object]) -> dict[str, object]:
    """The client's own tools, and whether one has to be called."""
    functions = []
    for tool in blocks_of(body.get("tools")):
        kind = str(tool.get("type") or "custom")
        if kind == "custom":
            functions.append(_function(tool))
        elif not kind.startswith(CODE_TOOL):
            raise UnusableRequest(NO_TOOL.format(kind=repr(kind[:80])))
    if not functions:
        return {}
    choice = body.get("tool_choice")
    its = choice if isinstance(choice, Mapping) else {}
    chosen = CHOICES.get(its.get("type"))
    if its.get("type") == "tool":
        chosen = {"type": "function", "function": {"name": str(its.get("name") or "")}}
    single = {"parallel_tool_calls": False} if its.get("disable_parallel_tool_use") is True else {}
    return {"tools": functions, **({"tool_choice": chosen} if chosen else {}), **single}


def _function(tool: Block) -> dict[str, object]:
    fields = {"name": tool.get("name"), "description": tool.get("description")}
    function = {name: value for name, value in fields.items() if value is not None}
    return {"type": "function", "function": {**function, "parameters": tool.get("input_schema") or {}}}
