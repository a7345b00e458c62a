"""API-key authentication: a request gets in if it carries a key, and each key is a user of its own."""

from collections.abc import Callable, Mapping

from coderunner.access.api_keys import ApiKeys, bearer
from coderunner.access.origins import App, Receive, Scope, Send

CHALLENGE = {"www-authenticate": "Bearer"}
"""The header of a refusal (RFC 6750)."""

OWN = b"x-api-key"
"""The header in which Anthropic's clients send a key, as it is; it counts where there is no other."""


class Authentication:
    """ASGI middleware: lets in requests with a valid key, and tells the app whose key it is."""

    def __init__(
        self,
        app: App,
        api_keys: ApiKeys,
        *,
        refuse: App,
        unknown: App,
        known: Callable[[str], Mapping[str, object]],
    ) -> None:
        """`unknown` answers requests with a key that is not valid, `refuse` all others without a valid one.

        `known` gives what is added to the scope for an owner.
        """
        self._app = app
        self._api_keys = api_keys
        self._refuse = refuse
        self._unknown = unknown
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        sent = _keys(scope, b"authorization") or [b"Bearer " + key for key in _keys(scope, OWN)]
        owner = self._api_keys.owner(sent[0].decode("latin-1")) if len(sent) == 1 else None
        if scope["type"] != "http":
            await self._refuse(scope, receive, send)
        elif owner is None:
            given = len(sent) == 1 and bearer(sent[0].decode("latin-1"))
            await (self._unknown if given else self._refuse)(scope, receive, send)
        else:
            await self._app({**scope, **self._known(owner)}, receive, send)


def _keys(scope: Scope, header: bytes) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == header]
