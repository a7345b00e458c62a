"""Routes in the Jupyter server itself: the files of sandboxed frames, below the app's path, for everybody.

Active output is drawn in frames that have no origin, so that browsers send none of the server's cookies with
what they load, and jupyter-server-proxy would ask them to log in. The files are the same for everybody.
"""

import re
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.serverapp import ServerApp
from tornado import web

from coderunner.hosts.jupyter.names import NAME
from coderunner.page.server import public_files
from coderunner.page.server.public_files import PublicFile
from coderunner.page.server.static_files import PUBLIC

_HOST = re.compile(r"[\w.:\[\]-]+", re.ASCII)
"""What may stand in a policy."""


class _Handler(web.RequestHandler):
    def _send(self, found: PublicFile | None) -> None:
        if found is None:
            self.set_status(404)
            return
        for name, value in {**found.headers, "Content-Type": found.kind}.items():
            self.set_header(name, value)
        self.write(found.content)


class FileHandler(_Handler):
    """Scripts and style sheets."""

    @allow_unauthenticated
    async def get(self, name: str) -> None:
        """Send one."""
        self._send(public_files.file(name))


class FrameHandler(_Handler):
    """The pages of the frames."""

    def initialize(self, path: str) -> None:
        """`path`: below which all of them are, ending in a slash."""
        self._path = path

    @allow_unauthenticated
    async def get(self, level: str, page: str) -> None:
        """Send one."""
        host = self.request.host if _HOST.fullmatch(self.request.host) else ""
        # What a proxy before the server says is believed: it decides about this answer alone.
        told = self.request.headers.get("X-Forwarded-Proto", self.request.protocol)
        scheme = "https" if told.partition(",")[0].strip() == "https" else "http"
        self._send(public_files.frame(level, page, f"{scheme}://{host}{self._path}") if host else None)


def handlers(base_url: str) -> list[tuple[Any, ...]]:
    """The routes, for a server with that base URL, such as `/user/ann/`."""
    path = f"{base_url}{NAME}{PUBLIC}"
    return [
        (rf"{re.escape(path)}(\w+)/(\w+)\.html", FrameHandler, {"path": path}),
        (rf"{re.escape(path)}([\w.]+)", FileHandler),
    ]


def add_public_routes() -> None:
    """Add the routes to the Jupyter server in whose process this is called, if it is one."""
    if ServerApp.initialized():
        server = ServerApp.instance()
        routes: Any = server.web_app
        routes.add_handlers(".*$", handlers(server.base_url))
