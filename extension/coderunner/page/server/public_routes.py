"""Routes of the public files: scripts, style sheets, and the pages of the sandboxed frames.

They contain no data, so everybody may load them, also frames, which have no origin.
"""

from collections.abc import Container
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from coderunner.access.origins import LOOPBACK, foreign, host_of, root_of
from coderunner.page.server import public_files
from coderunner.page.server.public_files import PublicFile
from coderunner.page.server.static_files import PUBLIC


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
        if foreign(request.scope, self.hosts):
            return _sent(None)
        # A browser takes `http:` in a policy for `https:` only at the usual ports.
        scheme = "https" if request.scope.get("scheme") == "https" else "http"
        public = f"{scheme}://{host_of(request.scope)}{root_of(request.scope)}{PUBLIC}"
        level, page = request.path_params["level"], request.path_params["page"]
        return _sent(public_files.frame(level, page, public))

    async def file(self, request: Request) -> Response:
        """A script or style sheet."""
        return _sent(public_files.file(request.path_params["name"]))


def _sent(found: PublicFile | None) -> Response:
    if found is None:
        return PlainTextResponse("This file does not exist.", 404)
    return Response(found.content, media_type=found.kind, headers=dict(found.headers))
