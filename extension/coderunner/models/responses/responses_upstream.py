"""What is known of an endpoint that may have the Responses API."""

from coderunner.models.native.upstream_api import AUTO, UpstreamApi

MOST = 1000
"""Models of which it is kept that they seal no thoughts."""


class ResponsesUpstream(UpstreamApi):
    """The API, for this process."""

    def __init__(self, setting: str = AUTO) -> None:
        super().__init__(setting)
        self._unsealed: dict[str, None] = {}

    def seals(self, model: str) -> bool:
        """Whether the model may be asked for its thoughts in a form that can be given back to it."""
        return model not in self._unsealed

    def note_unsealed(self, model: str) -> None:
        """Note that it refuses that."""
        self._unsealed = dict.fromkeys([*list(self._unsealed)[-MOST + 1 :], model])
