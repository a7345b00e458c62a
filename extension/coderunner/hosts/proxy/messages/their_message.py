"""What an endpoint that has the Messages API says of a message, beside its blocks. Pure."""

from collections.abc import Mapping
from typing import Any

OURS = frozenset({"id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "container"})
"""Fields of a message that we fill in."""
PROMPT = ("input_tokens", "cache_")
"""The beginnings of what counts the prompt: the client's is that of the first request."""


class TheirMessage:
    """Fields of the start of its first request, and of the end of its latest."""

    def __init__(self) -> None:
        self.head: dict[str, Any] = {}
        """Fields of the message that we do not know."""
        self.first_usage: dict[str, Any] = {}
        self.last: dict[str, Any] = {}
        """The end as it came."""

    @property
    def delta(self) -> dict[str, Any]:
        """What the end changes in the message."""
        return _dict(self.last.get("delta"))

    def note(self, event: Mapping[str, object]) -> None:
        """A start or an end."""
        if event.get("type") != "message_start":
            self.last = dict(event)
        elif not self.first_usage and not self.head:
            message = _dict(event.get("message"))
            self.first_usage = _dict(message.get("usage"))
            self.head = {name: value for name, value in message.items() if name not in (*OURS, "usage")}

    def usage(self, completion: int) -> dict[str, Any]:
        """The usage with all that the endpoint counts; `completion`: the tokens of all requests."""
        first, last = self.first_usage, _dict(self.last.get("usage"))
        if not first and not last:
            return {}
        prompt = {name: value for name, value in first.items() if value and name.startswith(PROMPT)}
        return {**first, **last, **prompt, "output_tokens": completion}


def _dict(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
