"""`/v1/files`: files that clients upload by themselves, and all others by their ids, for both APIs."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Send

from coderunner.files.chat_folder import File
from coderunner.hosts.proxy.client_api.api_host import ApiHost
from coderunner.hosts.proxy.client_api.request_reader import RequestReader
from coderunner.hosts.proxy.containers import file_shapes
from coderunner.hosts.proxy.containers.answering import Answering
from coderunner.hosts.proxy.containers.received_form import form_of
from coderunner.hosts.proxy.containers.stored_files import StoredFiles
from coderunner.hosts.proxy.files.file_ids import FileId, file_of
from coderunner.hosts.proxy.files.sent_ids import named
from coderunner.page.server.files.file_downloads import download

OURS = frozenset({"", "user_data", "assistants", "vision"})
"""What files are for that requests of ours name; those for batches and training are the endpoint's."""


@dataclass(frozen=True, slots=True)
class FileRoutes:
    """The routes before one proxy."""

    host: ApiHost
    files: StoredFiles

    def routes(self) -> Iterator[Route]:
        """All of them."""
        one = "/v1/files/{file}"
        answers: Sequence[tuple[str, str, Callable[[Request], Awaitable[ASGIApp | None]]]] = (
            ("POST", "/v1/files", self._upload),
            ("GET", "/v1/files", self._list),
            ("GET", one, self._retrieve),
            ("DELETE", one, self._delete),
            ("GET", f"{one}/content", self._content),
        )
        for method, path, answer in answers:
            yield Route(path, Answering(self.host, "files", answer), methods=[method])

    async def _upload(self, _request: Request) -> ASGIApp:
        return RequestReader(self._received)

    async def _received(self, request: Request, body: bytes, send: Send) -> None:
        """Keep an upload, or pass it on as it came, by what its form says it is for."""

        async def answer(_request: Request) -> ASGIApp | None:
            async with form_of(Request(request.scope, _given(body, request.receive))) as form:
                if form.fields.get("purpose", "") not in OURS:
                    return None
                owner = self.host.owner_of(request)
                which = await self.files.upload(owner, form.name, form.pieces(), form.file.size or 0)
            return await self._shown(request, which)

        given = _given(body, request.receive)
        await Answering(self.host, "files", answer)(request.scope, given, send)

    async def _list(self, request: Request) -> ASGIApp | None:
        if request.query_params.get("purpose", "") not in OURS:
            return None
        found = (await self.files.list(self.host.owner_of(request), "")).files
        by_time = sorted(found, key=lambda file: (file.changed, file.path))
        shape = _shape(request)
        shapes = [shape(FileId("", file.path), file) for file in by_time]
        return JSONResponse(file_shapes.page(shapes, request.query_params).shape())

    async def _retrieve(self, request: Request) -> ASGIApp | None:
        if (which := file_of(request.path_params["file"])) is None:
            return None
        with named(request.path_params["file"]):
            return await self._shown(request, which)

    async def _delete(self, request: Request) -> ASGIApp | None:
        if (which := file_of(request.path_params["file"])) is None:
            return None
        with named(request.path_params["file"]):
            await self.files.delete(self.host.owner_of(request), which)
        kind = {"type": "file_deleted"} if _message(request) else {"object": "file", "deleted": True}
        return JSONResponse({"id": request.path_params["file"], **kind})

    async def _content(self, request: Request) -> ASGIApp | None:
        if (which := file_of(request.path_params["file"])) is None:
            return None
        folder = self.files.folder(self.host.owner_of(request), which.conversation)
        with named(request.path_params["file"]):
            return download(await folder.open(which.path), request.headers.get("range", ""))

    async def _shown(self, request: Request, which: FileId) -> ASGIApp:
        async with self.files.opened(self.host.owner_of(request), which) as file:
            its = File(which.path, file.size, file.changed)
        return JSONResponse(_shape(request)(which, its))


def _message(request: Request) -> bool:
    """Whether Anthropic's client asks."""
    return "anthropic-version" in request.headers


def _shape(request: Request) -> Callable[[FileId, File], file_shapes.Shape]:
    return file_shapes.message_file if _message(request) else file_shapes.file


def _given(body: bytes, further: Receive) -> Receive:
    """What has been received, to be received once more, and what comes `further`."""
    again = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Message:
        return next(again, None) or await further()

    return receive
