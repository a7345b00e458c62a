"""Replies and errors in OpenAI's format. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coderunner.ending_sentences import COMPLETE
from coderunner.models.continuation.tool_calls import joined
from coderunner.models.endpoint.token_usage import Usage
from coderunner.runner import Part
from coderunner.text.surrogates import paired

OFFICIAL: Mapping[str, str] = {
    **dict.fromkeys(COMPLETE, "stop"),
    **dict.fromkeys(("tool_calls", "function_call"), "stop"),
    **dict.fromkeys(("max_tokens", "model_length"), "length"),
    **dict.fromkeys(("safety", "sensitive", "recitation", "prohibited_content"), "content_filter"),
}
"""OpenAI's words for other servers' finish reasons, such as Mistral's, Zhipu's and Google's."""

DONE = b"data: [DONE]\n\n"
COMMENT = b": keep-alive\n\n"
"""Ignored by clients; keeps proxies and load balancers from closing the connection."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The finish reason of a reply, and its token usage."""

    reason: str
    usage: Usage


class ReplyFormat:
    """The chunks of one reply: a single id, time and model over all its requests to the model."""

    def __init__(self, identity: str, created: int, model: str, *, counts: bool = False) -> None:
        """`counts`: the stream ends with the token usage."""
        self._counts = counts
        self._head = {"id": identity, "created": created, "model": model}
        fields = json.dumps({**self._head, "object": "chat.completion.chunk"})
        # A chunk is made for each token, so only its text is encoded each time.
        self._before = f"data: {fields[:-1]}, ".encode()

    def begin(self) -> bytes:
        """The first chunk."""
        return self._chunk('{"role": "assistant", "content": ""}')

    def content(self, text: str, _part: Part = Part.TEXT) -> bytes:
        """A piece of the reply."""
        return self._chunk(f'{{"content": {json.dumps(text)}}}')

    def reasoning(self, text: str) -> bytes:
        """A piece of the thought."""
        return self._chunk(f'{{"reasoning_content": {json.dumps(text)}}}')

    def run(self, _code: str) -> bytes:
        """Nothing of it is in the reply."""
        return b""

    def ended(self, _kept: Sequence[str], *, failed: bool) -> bytes:
        """Its result is in the reply."""
        return b""

    def calls(self, fragments: Sequence[object]) -> bytes:
        """Fragments of calls of the client's own tools, as the model sent them."""
        return self._chunk(f'{{"tool_calls": {paired(json.dumps(fragments))}}}')

    def passed(self, _event: Mapping[str, object]) -> bytes:
        """Chat completions have no events."""
        return b""

    def end(self, outcome: Outcome) -> bytes:
        """The last chunks."""
        last = self._chunk("{}", outcome.reason)
        if self._counts:
            last += (
                self._before + f'"choices": [], "usage": {json.dumps(usage(outcome.usage))}}}\n\n'.encode()
            )
        return last + DONE

    def break_off(self, message: str) -> bytes:
        """The end of a stream that failed after its start."""
        return f"data: {json.dumps(error(message))}\n\n".encode() + DONE

    def whole(
        self, content: str, reasoning: str, fragments: Sequence[object], outcome: Outcome
    ) -> dict[str, object]:
        """The reply for a client that did not ask for a stream."""
        message: dict[str, object] = {"role": "assistant", "content": content}
        if reasoning:
            message["reasoning_content"] = reasoning
        if fragments:
            message["tool_calls"] = json.loads(paired(json.dumps(joined(fragments))))
        choice = {"index": 0, "message": message, "finish_reason": outcome.reason, "logprobs": None}
        return {
            **self._head,
            "object": "chat.completion",
            "choices": [choice],
            "usage": usage(outcome.usage),
        }

    def _chunk(self, delta: str, reason: str = "") -> bytes:
        ended = json.dumps(reason) if reason else "null"
        choice = f'"choices": [{{"index": 0, "delta": {delta}, "finish_reason": {ended}}}]}}\n\n'
        return self._before + choice.encode()


def usage(spent: Usage) -> dict[str, object]:
    """The usage of a reply, with the client's prompt; the total of all requests is in an extra object."""
    return {
        "prompt_tokens": spent.prompt,
        "completion_tokens": spent.completion,
        "total_tokens": spent.prompt + spent.completion,
        "coderunner": {
            "requests": spent.calls,
            "prompt_tokens": spent.prompt_total + spent.guessed,
            "cached_tokens": spent.cached,
            "counted": spent.counted,
        },
    }


def official(reason: str) -> str:
    """OpenAI's word for a finish reason if there is one: clients know no others.

    A call that the client does not get is no reason for it, since it could not answer.
    """
    return OFFICIAL.get(reason.casefold(), reason)


def error(message: str, *, kind: str = "api_error", code: str | None = None) -> dict[str, object]:
    """An error in OpenAI's format."""
    return {"type": "error", "error": {"message": message, "type": kind, "param": None, "code": code}}


def with_marked(listed: object, suffix: str) -> object:
    """A list of models with a second entry for each, which runs code; anything else is unchanged."""
    if not isinstance(listed, Mapping) or not isinstance(listed.get("data"), list):
        return listed
    entries = listed["data"]
    marked = [
        {**entry, "id": f"{entry['id']}{suffix}"}
        for entry in entries
        if isinstance(entry, Mapping) and isinstance(entry.get("id"), str)
    ]
    return {**listed, "data": [*marked, *entries]}
