"""Routes of the public files: scripts, style sheets, and the pages of the sandboxed frames.

They contain no data, so everybody may load them, also frames, which have no origin.
"""

from collections.abc import Container
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from coderunner.access.origins import LOOPBACK, foreign, host_of, root_of
from coderunner.page.html import sandboxed_frames
from coderunner.page.html.sandboxed_frames import LEVELS
from coderunner.page.server import static_files
from coderunner.page.server.static_files import PUBLIC

_FOR_EVER = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class PublicRoutes:
    """The routes, to be added to a host's app under their absolute paths."""

    hosts: Container[str] = LOOPBACK
    """The host names that requests may use."""

    def all(self) -> list[BaseRoute]:
        """All routes."""
        return [
            Route(f"{PUBLIC}{{level}}/{{page}}.html", self.frame, methods=["GET"]),
            Route(f"{PUBLIC}{{name}}", self.file, methods=["GET"]),
        ]

    async def frame(self, request: Request) -> Response:
        """The pages of the sandboxed frames."""
        level = next((each for each in LEVELS if each == request.path_params["level"]), None)
        page = request.path_params["page"]
        if level is None or page not in ("shell", "frame") or foreign(request.scope, self.hosts):
            return PlainTextResponse("This page does not exist.", 404)
        # A browser takes `http:` in a policy for `https:` only at the usual ports.
        scheme = "https" if request.scope.get("scheme") == "https" else "http"
        public = f"{scheme}://{host_of(request.scope)}{root_of(request.scope)}{PUBLIC}"
        version = static_files.version()
        if page == "shell":
            text, headers = (
                sandboxed_frames.shell(level, version),
                sandboxed_frames.shell_headers(public, level),
            )
        else:
            text, headers = (
                sandboxed_frames.inner(level, version),
                sandboxed_frames.inner_headers(public, level),
            )
        return Response(text, media_type="text/html", headers=dict(headers))

    async def file(self, request: Request) -> Response:
        """A script or style sheet."""
        name = request.path_params["name"]
        kind = static_files.names().get(name)
        if kind is None:
            return PlainTextResponse("This file does not exist.", 404)
        return Response(static_files.content(name), media_type=kind, headers=_FOR_EVER)
