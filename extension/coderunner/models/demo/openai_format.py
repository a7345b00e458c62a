"""The demo model's replies as OpenAI's wire format has them: pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from coderunner.models.continuation.tool_calls import NAME, joined

TOKEN = re.compile(r"\n+|[ \t]+[^\s]+|[^\s]+|[ \t]+")
"""A word with the blanks before it, or line ends: about what a model's tokens are."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """All that one reply will be."""

    id: str
    model: str
    tokens: tuple[str, ...]
    reasoning: tuple[str, ...]
    finish_reason: str
    prompt_tokens: int
    cached_tokens: int
    calls: tuple[Mapping[str, object], ...] = ()
    """Fragments of a call of a tool."""
    chat: bool = True
    """Whether it is a message; else it is the text after a prompt."""

    def usage(self, completion: int) -> dict[str, object]:
        """Count up to so many tokens of the completion."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.prompt_tokens + completion,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens},
        }


def timings(spoken: Spoken, count: int) -> dict[str, object]:
    """Count as llama.cpp does in each chunk."""
    evaluated = spoken.prompt_tokens - spoken.cached_tokens
    return {"timings": {"cache_n": spoken.cached_tokens, "prompt_n": evaluated, "predicted_n": count}}


def cut(text: str, stop: object) -> tuple[str, bool]:
    """Cut a text before the first of the client's stop strings."""
    strings = [stop] if isinstance(stop, str) else stop if isinstance(stop, list) else []
    places = [text.find(each) for each in strings if each in text]
    return (text[: min(places)], True) if places else (text, False)


def chunk(spoken: Spoken, delta: Mapping[str, object], finish_reason: str | None = None) -> dict[str, object]:
    """Return one chunk of the stream."""
    said = {"delta": delta} if spoken.chat else {"text": delta.get("content", "")}
    choice = {"index": 0, **said, "finish_reason": finish_reason, "logprobs": None}
    return {
        "id": spoken.id,
        "object": "chat.completion.chunk" if spoken.chat else "text_completion",
        "created": 0,
        "model": spoken.model,
        "choices": [choice],
    }


def whole(spoken: Spoken) -> dict[str, object]:
    """Return the whole completion, for who did not ask for a stream."""
    text = "".join(spoken.tokens)
    message: dict[str, object] = {"role": "assistant", "content": text}
    if spoken.reasoning:
        message["reasoning_content"] = "".join(spoken.reasoning)
    if spoken.calls:
        message["tool_calls"] = joined(spoken.calls)
    said = {"message": message} if spoken.chat else {"text": text}
    choice = {"index": 0, **said, "finish_reason": spoken.finish_reason, "logprobs": None}
    return {
        "id": spoken.id,
        "object": "chat.completion" if spoken.chat else "text_completion",
        "created": 0,
        "model": spoken.model,
        "choices": [choice],
        "usage": spoken.usage(len(spoken.tokens) + len(spoken.reasoning)),
    }


def call(code: str, *, readable: bool) -> tuple[Mapping[str, object], ...]:
    """A call of the tool that runs code, in the fragments in which models send them."""
    arguments = json.dumps({"code": code})
    half = len(arguments) // 2
    rest = arguments[half:] if readable else ""
    begun = {"index": 0, "id": "call_demo", "type": "function", "function": {"name": NAME, "arguments": ""}}
    texts = (arguments[:half], rest)
    return (begun, *({"index": 0, "function": {"arguments": text}} for text in texts if text))


def event(chunk: Mapping[str, object]) -> bytes:
    """Return a server-sent event."""
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"
