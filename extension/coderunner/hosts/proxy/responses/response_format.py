"""A response as its client reads it: the events of a stream, or the whole. Pure, but for what is given."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coderunner.hosts.proxy.client_api.openai_format import Outcome
from coderunner.hosts.proxy.responses.output_items import Event, OutputItems
from coderunner.hosts.proxy.responses.their_response import TheirResponse
from coderunner.models.endpoint.token_usage import Usage
from coderunner.models.responses.response_stream import BEGAN, ENDED
from coderunner.runner import Part
from coderunner.text.surrogates import paired

INCOMPLETE: Mapping[str, str] = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""The API's words for why a reply ends before its end."""

FIRST = ("response.created", "response.in_progress")


@dataclass
class ResponseFormat:
    """The events of one response."""

    identity: str
    created: int
    model: str
    """As the client calls it."""
    repeated: Mapping[str, object]
    """The fields of the request that the response repeats."""
    items: OutputItems
    _number: int = field(default=len(FIRST), init=False)
    """Of the next event. The first ones are made last: a response begins when something of it is there."""
    _theirs: TheirResponse = field(default_factory=TheirResponse, init=False)

    def begin(self) -> bytes:
        """What stands before everything."""
        started = self._response("in_progress", ())
        events = ({"type": kind, "response": started} for kind in FIRST)
        return b"".join(_event(event, number) for number, event in enumerate(events))

    def content(self, text: str, part: Part) -> bytes:
        """A piece of the reply."""
        return self._written(self.items.say(text, part))

    def reasoning(self, text: str) -> bytes:
        """A piece of the thought."""
        return self._written(self.items.think(text))

    def run(self, code: str) -> bytes:
        """The block runs."""
        return self._written(self.items.run(code))

    def ended(self, kept: Sequence[str], *, failed: bool) -> bytes:
        """The block has ended, with what its result has of ours."""
        return self._written(self.items.end(kept))

    def calls(self, fragments: Sequence[object]) -> bytes:
        """Fragments of calls of the client's own functions."""
        return self._written(self.items.call(fragments))

    def passed(self, event: Mapping[str, object]) -> bytes:
        """An event of an endpoint that has this API: of an item of its own, or of the response."""
        if event.get("type") in (*BEGAN, *ENDED):
            self._theirs.note(event)
            return b""
        return self._written(self.items.passed(event))

    def end(self, outcome: Outcome) -> bytes:
        """What stands after everything."""
        events = self.items.close()
        whole = self.whole(outcome)
        return self._written([*events, {"type": f"response.{whole['status']}", "response": whole}])

    def break_off(self, message: str) -> bytes:
        """The end of a stream that failed after its start."""
        events = self.items.close()
        failed = self._response("failed", self.items.items)
        failed["error"] = {"code": "server_error", "message": message}
        return self._written([*events, {"type": "response.failed", "response": failed}])

    def whole(self, outcome: Outcome) -> dict[str, Any]:
        """The response, after its end."""
        why = INCOMPLETE.get(outcome.reason)
        response = self._response("incomplete" if why else "completed", self.items.items)
        if why:
            response["incomplete_details"] = {"reason": why}
        response["usage"] = self._theirs.usage(usage(outcome.usage))
        return response

    def _response(self, status: str, output: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.identity,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "model": self.model,
            "output": list(output),
            "error": None,
            "incomplete_details": None,
            "usage": None,
            **self.repeated,
            **self._theirs.fields,
        }

    def _written(self, events: Sequence[Event]) -> bytes:
        first, self._number = self._number, self._number + len(events)
        return b"".join(_event(event, number) for number, event in enumerate(events, first))


def _event(event: Event, number: int) -> bytes:
    data = paired(json.dumps({**event, "sequence_number": number}))
    return f"event: {event['type']}\ndata: {data}\n\n".encode()


def usage(spent: Usage) -> dict[str, Any]:
    """The usage of a response: the client's prompt, and everything generated."""
    return {
        "input_tokens": spent.prompt,
        "input_tokens_details": {"cached_tokens": min(spent.cached, spent.prompt), "cache_write_tokens": 0},
        "output_tokens": spent.completion,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": spent.prompt + spent.completion,
    }
