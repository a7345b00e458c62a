"""A request of the Responses API, as an endpoint gets it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Item = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ResponsesRequest:
    """A request of the API, for the endpoint."""

    body: Mapping[str, object]
    """All fields but the input, the model, and whether it is streamed or stored."""
    items: Sequence[Item]
    """The whole input."""
