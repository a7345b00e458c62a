"""Reads a Responses request, and decides whether its code is run here. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from coderunner.hosts.proxy.client_api.chat_request import (
    VARIABLES_SUFFIX,
    ChatRequest,
    UnusableRequest,
    plain,
)
from coderunner.hosts.proxy.responses.input_items import Item, items_of, messages_of

KEPT_ELSEWHERE: Mapping[str, str] = {
    "background": "The proxy answers while the client waits: leave out `background`.",
    "conversation": "The proxy keeps no conversations of its own: use `previous_response_id` instead of "
    "`conversation`.",
}
"""What neither the proxy does nor its endpoint, where nothing is stored of its replies."""
NO_PROMPT = "The proxy keeps no prompts: send the text as `instructions` and `input`."
NO_TOOL = (
    "The proxy has no tool {kind}: it runs code (`code_interpreter`) and passes on calls of the client's own "
    "functions."
)
INSTEAD = ("previous_response_id", "prompt")
"""What may stand in place of an input."""
CODE_TOOL = "code_interpreter"
NO_INPUT = "The request has no `input`, which is a text or a list of items."
OPTIONS: Mapping[str, str] = {
    "max_output_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "parallel_tool_calls": "parallel_tool_calls",
    "service_tier": "service_tier",
    "user": "user",
    "safety_identifier": "safety_identifier",
    "prompt_cache_key": "prompt_cache_key",
    "seed": "seed",
    "stop": "stop",
}
"""The fields that chat completions have as well, and how they call them."""
REPEATED: Mapping[str, object] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
"""The fields that a response repeats, and what they are where the request says nothing."""


@dataclass(frozen=True, slots=True)
class ResponseRequest:
    """A request for a response whose code is to be run."""

    body: Mapping[str, object]
    items: Sequence[Item]
    """What is new: the rest is in the response before it."""
    previous: str
    """The id of the response that this one follows; empty where there is none."""
    container: str
    """The id of the container that the request names; empty where it names none."""
    stores: bool
    streams: bool
    repeated: Mapping[str, object] = field(default_factory=dict)


def reads(body: Mapping[str, object]) -> bool:
    """Whether this asks for text: answers by a schema are the endpoint's."""
    text = body.get("text")
    shape = text.get("format") if isinstance(text, Mapping) else None
    return not isinstance(shape, Mapping) or shape.get("type") in (None, "text")


def read(body: Mapping[str, object]) -> ResponseRequest:
    """Read a request for which `reads` is true. Raises UnusableRequest."""
    for name, why in KEPT_ELSEWHERE.items():
        if body.get(name):
            raise UnusableRequest(why)
    given = body.get("input") or []
    if not isinstance(given, str | list) or not (given or any(map(body.get, INSTEAD))):
        raise UnusableRequest(NO_INPUT)
    container = ""
    for tool in tools_of(body):
        named = tool.get("container") if tool.get("type") == CODE_TOOL else None
        container = named if isinstance(named, str) else container
    return ResponseRequest(
        body,
        items_of(given),
        str(body.get("previous_response_id") or ""),
        container,
        body.get("store") is not False,
        body.get("stream") is True,
        {name: body[name] if body.get(name) is not None else usual for name, usual in REPEATED.items()},
    )


def chat_of(asked: ResponseRequest, earlier: Sequence[Item], default: str = "") -> ChatRequest:
    """The same as one of chat completions, after the items of `earlier` responses. Raises UnusableRequest."""
    body = asked.body
    if body.get("prompt"):
        raise UnusableRequest(NO_PROMPT)
    for tool in tools_of(body):
        if tool.get("type") not in ("function", CODE_TOOL):
            raise UnusableRequest(NO_TOOL.format(kind=repr(str(tool.get("type"))[:80])))
    named = str(body.get("model") or default)
    instructions = body.get("instructions")
    first = [{"role": "system", "content": instructions}] if isinstance(instructions, str) else []
    options = {chat: body[name] for name, chat in OPTIONS.items() if body.get(name) is not None}
    options |= _further(body)
    return ChatRequest(
        plain(named),
        named,
        [*first, *messages_of([*earlier, *asked.items])],
        options=options,
        streams=asked.streams,
        variables=named.endswith(VARIABLES_SUFFIX),
    )


def _further(body: Mapping[str, object]) -> dict[str, object]:
    """The fields that chat completions have in another form."""
    found: dict[str, object] = {}
    reasoning, text = body.get("reasoning"), body.get("text")
    if isinstance(reasoning, Mapping) and reasoning.get("effort"):
        found["reasoning_effort"] = reasoning["effort"]
    if isinstance(text, Mapping) and text.get("verbosity"):
        found["verbosity"] = text["verbosity"]
    functions = [_function(tool) for tool in tools_of(body) if tool.get("type") == "function"]
    if functions:
        found["tools"] = functions
        if choice := _choice(body.get("tool_choice")):
            found["tool_choice"] = choice
    return found


def _function(tool: Item) -> dict[str, object]:
    fields = ("name", "description", "parameters", "strict")
    return {
        "type": "function",
        "function": {name: tool[name] for name in fields if tool.get(name) is not None},
    }


def _choice(choice: object) -> object:
    """Which function is to be called, in the words of chat completions; None where nothing is to be said."""
    if isinstance(choice, Mapping):
        named = choice.get("type") == "function" and choice.get("name")
        return {"type": "function", "function": {"name": choice["name"]}} if named else None
    return choice if choice in ("none", "required") else None


def tools_of(body: Mapping[str, object]) -> list[Item]:
    """The tools of a request."""
    tools = body.get("tools")
    return [tool for tool in (tools if isinstance(tools, Sequence) else ()) if isinstance(tool, Mapping)]
