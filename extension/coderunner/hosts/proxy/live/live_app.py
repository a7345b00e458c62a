"""The ASGI app of the live pages: each request shows that its page may be seen, by the random name in it.

A page sees its own block and nothing else, and no route of it runs a block. Its socket closes soon after its
link has expired.
"""

import asyncio
import logging
from collections.abc import Container
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from coderunner.access.api_keys import ApiKeys
from coderunner.access.origins import Receive, Scope, Send, refusal, root_of
from coderunner.errors import RecordsUnavailable
from coderunner.hosts.proxy.files.album import asking
from coderunner.hosts.proxy.files.album_routes import LIVE
from coderunner.hosts.proxy.live import live_page
from coderunner.hosts.proxy.live.live_blocks import LiveBlocks
from coderunner.hosts.proxy.live.live_links import StoredLinks
from coderunner.page.server.routes import LOADERS, SOCKET, Views, token_of
from coderunner.page.server.static_files import PUBLIC

log = logging.getLogger(__name__)

PATHS = (LIVE, LOADERS, SOCKET, PUBLIC)
"""What its paths begin with."""
LOOK = 60.0
"""Seconds between two looks whether a page that is open may still be."""
AWAY = "What this page shows cannot be read at the moment; try again later."

PAGE = "coderunner.page"
"""The key of the page's name in the scope of a request that may see it."""


@dataclass(frozen=True, slots=True)
class _Admission:
    """Lets in whoever has the name of a page, which was looked up before."""

    hosts: Container[str]

    def admit(self, scope: Scope, token: str) -> str | None:
        """The page's name, to which its block belongs."""
        found = scope.get(PAGE)
        return found if found and found == token and not refusal(scope, self.hosts) else None


class LiveApp:
    """Serves the pages of all owners to whoever has a link."""

    def __init__(
        self,
        stored: StoredLinks,
        api_keys: ApiKeys,
        blocks: LiveBlocks,
        hosts: Container[str],
        *,
        public_url: str = "",
        look: float = LOOK,
    ) -> None:
        """`hosts`: the host names that requests may use; `public_url`: where browsers reach the proxy."""
        self._stored, self._api_keys, self._blocks = stored, api_keys, blocks
        self._hosts, self._look = hosts, look
        self._public = urlsplit(public_url)
        views = Views(blocks.subscriptions, _Admission(hosts)).all()
        self._app = Starlette(routes=[Route(f"{LIVE}{{name}}", self._page, methods=["GET"]), *views])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        scope = self._as_browsers_see_it(scope)
        path = str(scope["path"])
        if path.startswith(PUBLIC):
            await self._app(scope, receive, send)
            return
        page = path.startswith(LIVE) and scope["type"] == "http"
        if page and (why := refusal(scope, self._hosts)):
            await _told(why, 403)(scope, receive, send)
            return
        name = path.removeprefix(LIVE) if page else token_of(scope)
        why = await asyncio.to_thread(self._why_not, name, asking(scope, self._api_keys))
        if page and why:
            await _told(why, 503 if why == AWAY else 404)(scope, receive, send)
            return
        if not why:
            scope[PAGE] = name
        if scope["type"] == "websocket" and not why:
            await self._while_admitted(name, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _page(self, request: Request) -> Response:
        shown = live_page.page(request.path_params["name"], root_of(request.scope))
        return HTMLResponse(shown, headers=live_page.HEADERS)

    def _why_not(self, name: str, asks: str | None) -> str:
        """Why a page cannot be seen; empty where it can, and then its block is there."""
        try:
            found = self._stored.find(name, self._api_keys, asks)
            seen = found is not None and self._blocks.open(name, found.owner, found.place)
        except RecordsUnavailable as failure:
            log.warning("%s", failure)
            return AWAY
        return "" if seen else live_page.EXPIRED

    def _expired(self, name: str, asks: str | None) -> bool:
        """Whether a page that is open may be seen no more; not where nobody can tell."""
        try:
            return self._stored.find(name, self._api_keys, asks) is None
        except RecordsUnavailable:
            return False

    async def _while_admitted(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a socket until its page leaves, or may be seen no more."""
        serving = asyncio.ensure_future(self._app(scope, receive, send))
        asks = asking(scope, self._api_keys)
        try:
            while not (await asyncio.wait([serving], timeout=self._look))[0]:
                if await asyncio.to_thread(self._expired, name, asks):
                    serving.cancel()
                    await asyncio.wait([serving])
                    await send({"type": "websocket.close", "code": 1008})
                    return
            serving.result()
        finally:
            serving.cancel()

    def _as_browsers_see_it(self, scope: Scope) -> Scope:
        """The scope with scheme and path of the public address, which policies of frames have to name."""
        if not self._public.scheme:
            return dict(scope)
        secure, socket = self._public.scheme == "https", scope["type"] == "websocket"
        scheme = ("wss" if secure else "ws") if socket else self._public.scheme
        return {**scope, "scheme": scheme, "root_path": self._public.path.rstrip("/")}


def _told(sentence: str, status: int) -> Response:
    return HTMLResponse(live_page.told(sentence), status, headers=live_page.HEADERS)
