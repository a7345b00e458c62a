"""Who is let in: whoever sends one of our keys. Each key is somebody."""

from starlette.responses import JSONResponse

from coderunner.gate import App, Receive, Scope, Send
from coderunner.hosts.proxy import wire
from coderunner.keys import Keyring

OWNER = "coderunner.owner"
"""Where in a request's scope its owner stands."""

NO_KEY = "Send the proxy's own key as `Authorization: Bearer …`; its terminal says where that is kept."


class Entrance:
    """An ASGI app around another: lets in who has a key, and tells the app who it is."""

    def __init__(self, app: App, keyring: Keyring) -> None:
        self._app = app
        self._keyring = keyring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        sent = [value for name, value in scope["headers"] if name == b"authorization"]
        owner = self._keyring.owner(sent[0].decode("latin-1")) if len(sent) == 1 else None
        if owner is None or scope["type"] != "http":
            error = wire.error(NO_KEY, kind="invalid_request_error", code="invalid_api_key")
            await JSONResponse(error, 401, headers={"www-authenticate": "Bearer"})(scope, receive, send)
            return
        await self._app({**scope, OWNER: owner}, receive, send)
