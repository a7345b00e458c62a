"""The login of a page for one person: a link from the terminal, then a cookie, for every route.

Whoever sees the terminal that started the app is its user. The link's token is good for one exchange; the
answer gives the browser a cookie and sends it on to the address without the token.
"""

from collections.abc import Container

from coderunner.access import login_links
from coderunner.access.login_cookies import RENEWED, LoginCookies
from coderunner.access.login_links import LoginLinks
from coderunner.access.login_pages import REFUSAL, USED, onward, refusal
from coderunner.access.origins import (
    App,
    Header,
    Message,
    Receive,
    Scope,
    Send,
    comes_from_elsewhere,
    own_path,
)

NEVER_STORED = (b"cache-control", b"no-store")


class Login:
    """ASGI middleware: only browsers with our cookie get in, by HTTP and WebSocket."""

    def __init__(
        self,
        app: App,
        links: LoginLinks,
        cookies: LoginCookies,
        *,
        public: str,
        open_paths: Container[str] = (),
    ) -> None:
        """`public`: the path below which everything is for everybody; nothing there knows anything.

        `open_paths`: single paths of the same kind, for which browsers ask without a cookie.
        """
        self._app = app
        self.links = links
        self._cookies = cookies
        self._public = public
        self._open = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan" or self._for_everybody(own_path(scope)):
            await self._app(scope, receive, send)
            return
        age = self._cookies.age(scope)
        token, rest = login_links.taken_out(scope.get("query_string", b"").decode("latin-1"))
        if token is not None and scope.get("method") == "GET" and own_path(scope) == "/":
            await self._exchange(scope, send, token, rest, known=age is not None)
        elif age is None:
            await self._refuse(scope, send, REFUSAL)
        elif age > RENEWED and own_path(scope) == "/":
            await self._app(scope, receive, _with(send, (b"set-cookie", self._cookies.header(scope))))
        else:
            await self._app(scope, receive, send)

    def _for_everybody(self, path: str) -> bool:
        return path.startswith(self._public) or path in self._open

    async def _exchange(self, scope: Scope, send: Send, token: str, rest: str, *, known: bool) -> None:
        """Turn a link into a cookie; a browser that has one needs none, and the link stays good."""
        if not known and not self.links.redeem(token):
            await self._refuse(scope, send, USED)
            return
        # `./` and not `/`: a proxy may have taken a prefix from our path.
        place = f"./?{rest}" if rest else "./"
        cookie: list[Header] = [] if known else [(b"set-cookie", self._cookies.header(scope))]
        if comes_from_elsewhere(scope):
            # After a redirect the browser would still hold back the cookie: another site began this.
            await _answer(send, 200, "text/html", onward(place), *cookie)
        else:
            await _answer(send, 303, "text/plain", "", (b"location", place.encode()), *cookie)

    @staticmethod
    async def _refuse(scope: Scope, send: Send, why: str) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": why})
        elif comes_from_elsewhere(scope):
            # A browser that was let in has held back its cookie, until our own page asks for the address.
            await _answer(send, 403, "text/html", onward(""))
        elif _wants_a_page(scope):
            await _answer(send, 403, "text/html", refusal(why))
        else:
            await _answer(send, 403, "text/plain", why)


def _wants_a_page(scope: Scope) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


async def _answer(send: Send, status: int, kind: str, text: str, *more: Header) -> None:
    body = text.encode()
    headers = [
        (b"content-type", f"{kind}; charset=utf-8".encode()),
        (b"content-length", str(len(body)).encode()),
        NEVER_STORED,
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _with(send: Send, header: Header) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), header]
        await send(message)

    return sending
