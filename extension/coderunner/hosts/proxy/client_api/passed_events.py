"""What the events of an endpoint that has the client's API mean for a reply. Pure."""

from collections.abc import Mapping

from coderunner.models.messages.message_rounds import UNANSWERED
from coderunner.models.responses.response_rounds import FOR_CLIENTS as CALLS
from coderunner.models.responses.response_rounds import MESSAGE

FOR_CLIENTS = CALLS | {UNANSWERED}
"""The kinds that the client has to answer, so that the reply ends."""
SILENT = frozenset({"thinking", "redacted_thinking", "reasoning", MESSAGE})
"""The kinds that alone make no reply: thoughts, and messages, whose text counts."""
BEGINNINGS: Mapping[str, str] = {
    "content_block_start": "content_block",
    "response.output_item.added": "item",
}
"""The events with which a part begins, and where it stands in them."""


def begun(event: Mapping[str, object]) -> str:
    """The kind of the part that an event begins; empty where it begins none."""
    its = event.get(BEGINNINGS.get(str(event.get("type")), ""))
    return str(its.get("type") or "unknown") if isinstance(its, Mapping) else ""
