"""A request of Anthropic's API, as an endpoint gets it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Block = Mapping[str, object]
Message = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class MessagesRequest:
    """A request of the API, for the endpoint."""

    body: Mapping[str, object]
    """All fields but the messages, the model and whether it is streamed."""
    messages: Sequence[Message]
    """All messages before the reply."""
    begun: Sequence[Block] = ()
    """The blocks with which the client has begun it."""
    prior: str = ""
    """The text of these."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The client's, of this API alone."""
