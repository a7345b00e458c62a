"""Requests that a program before us vouches for: it has let the person in, and says so in a header."""

import hmac

from coderunner.access.origins import App, Receive, Scope, Send, plain_answer
from coderunner.secret_value import Secret


class WayIn:
    """ASGI middleware: only requests whose header has a secret get in, by HTTP and WebSocket.

    The header goes no further.
    """

    def __init__(self, app: App, header: str, secret: Secret, refusal: str) -> None:
        """`refusal`: what everybody else is told."""
        self._app = app
        self._header = header.lower().encode()
        self._secret = secret
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        given = [value for name, value in scope["headers"] if name.lower() == self._header]
        known = self._secret.reveal().encode()
        if known and len(given) == 1 and hmac.compare_digest(given[0], known):
            headers = [pair for pair in scope["headers"] if pair[0].lower() != self._header]
            # A Unix socket has no address, and Gradio expects one of everybody.
            client = scope.get("client") or ("127.0.0.1", 0)
            await self._app({**scope, "headers": headers, "client": client}, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": self._refusal})
        else:
            await plain_answer(send, 403, self._refusal)
