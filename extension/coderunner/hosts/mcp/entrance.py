"""Who is let in over HTTP: whoever sends one of our keys. Each key is somebody."""

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.responses import PlainTextResponse

from coderunner.gate import App, Receive, Scope, Send
from coderunner.keys import Keyring

NO_KEY = "Send the server's key as `Authorization: Bearer …`; its terminal says where that is kept.\n"


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
            await PlainTextResponse(NO_KEY, 401, {"www-authenticate": "Bearer"})(scope, receive, send)
            return
        # As the SDK knows people: so it gives a transport session to nobody but who began it, either.
        user = AuthenticatedUser(AccessToken(token="", client_id=owner, scopes=[]))
        await self._app({**scope, "user": user}, receive, send)
