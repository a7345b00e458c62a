"""What is known of an endpoint that may have Anthropic's API: whether it does, and how a message goes on."""

from collections.abc import Mapping

from coderunner.errors import EndpointFailed
from coderunner.models.endpoint.client import Client
from coderunner.models.messages.message_stream import ends
from coderunner.models.native.upstream_api import AUTO, UpstreamApi

PATH = "messages"
VERSION = "2023-06-01"
MOST = 1000
"""Models whose way is kept."""

PROBE = {"role": "user", "content": "Repeat exactly: alpha bravo charlie delta echo"}
BEGUN = {"role": "assistant", "content": "alpha bravo charlie"}
FOLLOWS = "delta"
PROBE_TOKENS = 8


class MessagesUpstream(UpstreamApi):
    """The API, for this process."""

    def __init__(self, setting: str = AUTO) -> None:
        super().__init__(setting)
        self._goes_on: dict[str, bool] = {}

    def answers(self, failure: EndpointFailed) -> bool:
        """An error in the API's own form comes from the API."""
        return failure.of_messages

    def way(self, model: str) -> bool | None:
        """Whether the model goes on with a message that it has begun; None where it was not tried."""
        return self._goes_on.get(model)

    def note_way(self, model: str, *, goes_on: bool) -> None:
        """Note whether it does."""
        self._goes_on = dict(list(self._goes_on.items())[-MOST + 1 :]) | {model: goes_on}

    async def goes_on(self, client: Client, headers: Mapping[str, str]) -> bool:
        """Whether it does; it is asked once to go on with a sentence of ours."""
        model = client.endpoint.model
        known = self.way(model)
        if known is None:
            known = await _asked(client, headers)
            self.note_way(model, goes_on=known)
        return known


async def _asked(client: Client, headers: Mapping[str, str]) -> bool:
    body = {"messages": [PROBE, BEGUN], "max_tokens": PROBE_TOKENS}
    said = ""
    try:
        async with client.stream(body, path=PATH, headers=headers, ends=ends) as events:
            async for together in events:
                for event in together:
                    delta = event.get("delta") if isinstance(event, Mapping) else None
                    said += str(delta.get("text") or "") if isinstance(delta, Mapping) else ""
    except EndpointFailed:
        return False
    # What begins with "alpha" is a new message; the next turn is right for it.
    return said.lstrip().startswith(FOLLOWS)
