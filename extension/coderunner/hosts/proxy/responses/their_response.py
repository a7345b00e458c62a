"""What an endpoint that has the Responses API says of a response, beside its items. Pure."""

from collections.abc import Mapping
from typing import Any

OURS = frozenset(
    {
        *("id", "object", "created_at", "status", "model", "output", "error", "incomplete_details", "usage"),
        *("instructions", "previous_response_id", "conversation", "store", "background", "metadata", "user"),
        *("tools", "tool_choice", "max_output_tokens", "include", "prompt", "output_text"),
    }
)
"""Fields of a response that we fill in, or that repeat a request which we have changed."""
INPUT, OUTPUT = "input_tokens_details", "output_tokens_details"
CACHED = "cached_tokens"


class TheirResponse:
    """The fields of its responses, the latest of each, and what these have cost."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        """Fields of a response as it was answered, and those that we do not know."""
        self._usages: list[dict[str, Any]] = []

    def note(self, event: Mapping[str, object]) -> None:
        """A beginning or an end."""
        response = _dict(event.get("response"))
        self.fields |= {
            name: value for name, value in response.items() if name not in OURS and value is not None
        }
        if usage := _dict(response.get("usage")):
            self._usages.append(usage)

    def usage(self, ours: Mapping[str, Any]) -> dict[str, Any]:
        """The usage with all that the endpoint counts; `ours` has the tokens of all requests."""
        if not self._usages:
            return dict(ours)
        first, last = self._usages[0], self._usages[-1]
        read = {**ours[INPUT], **_dict(first.get(INPUT))}
        if isinstance(read[CACHED], int):
            read[CACHED] = min(read[CACHED], ours["input_tokens"])
        written: dict[str, Any] = dict(ours[OUTPUT])
        for usage in self._usages:
            for name, value in _dict(usage.get(OUTPUT)).items():
                before = written.get(name)
                counts = isinstance(value, int) and isinstance(before, int)
                written[name] = before + value if counts else value
        return {**last, **ours, INPUT: read, OUTPUT: written}


def _dict(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
