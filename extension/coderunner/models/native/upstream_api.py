"""What is known of an endpoint that may have an API beside chat completions."""

from coderunner.errors import EndpointFailed, EndpointRefused, ModelError

AUTO, CHAT, NATIVE = "auto", "chat", "native"
ABSENT = frozenset({200, 404, 405, 501})
"""How servers answer a route that they do not have; LM Studio's says it with 200."""


class UpstreamApi:
    """One API, for this process. `setting` is that of `upstream_api`."""

    def __init__(self, setting: str = AUTO) -> None:
        self._there: bool | None = {CHAT: False, NATIVE: True}.get(setting)

    @property
    def usable(self) -> bool:
        """Whether the API is to be tried: it is not known to be missing."""
        return self._there is not False

    @property
    def known(self) -> bool:
        """Whether that is sure."""
        return self._there is not None

    def note(self, *, there: bool) -> None:
        """Note what an answer has shown."""
        if self._there is None:
            self._there = there

    def missing(self, failure: ModelError) -> bool:
        """Whether a failure before the first event may mean that the endpoint does not have the API."""
        if self.known:
            return False
        if isinstance(failure, EndpointFailed):
            return failure.status in ABSENT and not self.answers(failure)
        return isinstance(failure, EndpointRefused)  # some refuse whatever they do not know

    def answers(self, _failure: EndpointFailed) -> bool:
        """Whether an error has a form that only the API itself has."""
        return False
