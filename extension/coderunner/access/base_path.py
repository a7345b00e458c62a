"""The path below which a host is served: the rest of the address belongs to the program before it. Pure.

Browsers say the whole path, and so does that program. ASGI keeps it whole too, and says in `root_path` how
much of it is not the app's own.
"""

from urllib.parse import unquote

from coderunner.access.origins import App, Receive, Scope, Send, plain_answer


class BasePath:
    """ASGI middleware: the app is below a path, and there is nothing elsewhere."""

    def __init__(self, app: App, path: str) -> None:
        """`path`, as in an address, begins with a slash and does not end with one."""
        self._app = app
        self._written = path
        self._path = unquote(path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif scope["path"].startswith(f"{self._path}/"):
            scope["root_path"] = self._path
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "CodeRunner is at another path."})
        elif scope["path"] == self._path:
            query = scope.get("query_string", b"")
            place = f"{self._written}/".encode() + (b"?" + query if query else b"")
            await plain_answer(send, 307, "", [(b"location", place)])
        else:
            await plain_answer(send, 404, self._elsewhere)

    @property
    def _elsewhere(self) -> str:
        return (
            f"CodeRunner is at {self._written}/, as its setting base_path says, but this request has another "
            "path. A proxy before it has to pass paths on as they are."
        )
