"""Who is let in through a door without a face: whoever sends one of its keys. Each key is somebody."""

from collections.abc import Callable, Mapping

from coderunner.access.api_keys import ApiKeys
from coderunner.access.origins import App, Receive, Scope, Send

CHALLENGE = {"www-authenticate": "Bearer"}
"""What goes with a refusal (RFC 6750)."""


class Authentication:
    """An ASGI app around another: lets in who has a key, and tells the app who it is."""

    def __init__(
        self, app: App, api_keys: ApiKeys, *, refuse: App, known: Callable[[str], Mapping[str, object]]
    ) -> None:
        """`refuse` answers everybody else; `known` gives what the app finds in its scope of an owner."""
        self._app = app
        self._api_keys = api_keys
        self._refuse = refuse
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        sent = [value for name, value in scope["headers"] if name == b"authorization"]
        owner = self._api_keys.owner(sent[0].decode("latin-1")) if len(sent) == 1 else None
        if owner is None or scope["type"] != "http":
            await self._refuse(scope, receive, send)
        else:
            await self._app({**scope, **self._known(owner)}, receive, send)
