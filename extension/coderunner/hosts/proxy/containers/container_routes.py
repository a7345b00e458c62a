"""`/v1/containers`: conversations as containers, and the files of their folders."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from coderunner.files.chat_folder import File, NoSuchFile
from coderunner.hosts.proxy.client_api.api_host import ApiHost
from coderunner.hosts.proxy.client_api.chat_request import UnusableRequest
from coderunner.hosts.proxy.containers import file_shapes
from coderunner.hosts.proxy.containers.answering import Answering, json_of
from coderunner.hosts.proxy.containers.known_containers import KnownContainers
from coderunner.hosts.proxy.containers.received_form import form_of
from coderunner.hosts.proxy.containers.stored_files import StoredFiles
from coderunner.hosts.proxy.files.file_ids import FileId, conversation_of, file_of, foreign
from coderunner.hosts.proxy.files.sent_ids import named
from coderunner.ids import new_id
from coderunner.page.server.files.file_downloads import download

NO_CONTAINER = (
    "There is no container {which} here: it was deleted, is unused since `keep_days`, or never was."
)
NO_FILE = "Container {container} has no file {which}."
NO_NAME = "A new container needs a `name`."
ELSEWHERE: Mapping[str, str] = {
    "network_policy": "What code may reach is set for the whole proxy (`code_network`): leave out "
    "`network_policy`.",
    "skills": "The proxy has no skills: leave out `skills`.",
}
"""What a new container cannot have."""

End = Callable[[str, str], Awaitable[bool]]
"""Ends the kernel of an owner's conversation; gives whether the files of its folder are its own."""


@dataclass(frozen=True, slots=True)
class ContainerRoutes:
    """The routes before one proxy."""

    host: ApiHost
    known: KnownContainers
    files: StoredFiles
    end: End

    def routes(self) -> Iterator[Route]:
        """All of them."""
        one, several = "/v1/containers/{container}", "/v1/containers/{container}/files"
        answers: Sequence[tuple[str, str, Callable[[Request], Awaitable[ASGIApp | None]]]] = (
            ("POST", "/v1/containers", self._create),
            ("GET", "/v1/containers", self._list),
            ("GET", one, self._retrieve),
            ("DELETE", one, self._delete),
            ("POST", several, self._add_file),
            ("GET", several, self._list_files),
            ("GET", f"{several}/{{file}}", self._retrieve_file),
            ("DELETE", f"{several}/{{file}}", self._delete_file),
            ("GET", f"{several}/{{file}}/content", self._content),
        )
        for method, path, answer in answers:
            yield Route(path, Answering(self.host, "containers", answer), methods=[method])

    # --- containers

    async def _create(self, request: Request) -> ASGIApp:
        asked, owner = await json_of(request), self.host.owner_of(request)
        for field, why in ELSEWHERE.items():
            if asked.get(field):
                raise UnusableRequest(why)
        name = asked.get("name")
        if not isinstance(name, str) or not name.strip():
            raise UnusableRequest(NO_NAME)
        conversation = new_id(12)
        brought = asked.get("file_ids")
        for each in brought if isinstance(brought, list) else ():
            await self._copy(owner, each, conversation)
        made = await self.known.note(owner, conversation, name)
        return JSONResponse(file_shapes.container(**asdict(made)))

    async def _list(self, request: Request) -> ASGIApp:
        name = request.query_params.get("name")
        every = await self.known.all(self.host.owner_of(request))
        shown = [file_shapes.container(**asdict(each)) for each in every if name in (None, each.name)]
        return JSONResponse(file_shapes.page(shown, request.query_params).shape())

    async def _retrieve(self, request: Request) -> ASGIApp | None:
        if (conversation := await self._conversation(request)) is None:
            return None
        found = await self.known.find(self.host.owner_of(request), conversation)
        if found is None:
            raise _missing(request)
        return JSONResponse(file_shapes.container(**asdict(found)))

    async def _delete(self, request: Request) -> ASGIApp | None:
        """Forget a container, with its kernel and its files, unless these lie in a person's own folder."""
        owner = self.host.owner_of(request)
        if (conversation := await self._conversation(request)) is None:
            return None
        if await self.known.find(owner, conversation) is None:
            raise _missing(request)
        if await self.end(owner, conversation):
            for file in (await self.files.list(owner, conversation)).files:
                await self.files.delete(owner, FileId(conversation, file.path))
        await self.known.delete(owner, conversation)
        return JSONResponse(_deleted(request.path_params["container"], "container"))

    # --- files

    async def _add_file(self, request: Request) -> ASGIApp | None:
        owner = self.host.owner_of(request)
        if (conversation := await self._conversation(request)) is None:
            return None
        if request.headers.get("content-type", "").startswith("application/json"):
            which, file = await self._copy(owner, (await json_of(request)).get("file_id"), conversation)
        else:
            async with form_of(request) as form:
                which, file = await self.files.add(
                    owner, conversation, form.name, form.pieces(), form.file.size or 0
                )
        return JSONResponse(file_shapes.container_file(which, file, sent=True))

    async def _list_files(self, request: Request) -> ASGIApp | None:
        owner = self.host.owner_of(request)
        if (conversation := await self._conversation(request)) is None:
            return None
        found = (await self.files.list(owner, conversation)).files
        if not found and await self.known.find(owner, conversation) is None:
            raise _missing(request)
        by_time = sorted(found, key=lambda file: (file.changed, file.path))
        its = [file_shapes.container_file(FileId(conversation, file.path), file) for file in by_time]
        page = file_shapes.page(its, request.query_params)
        sent = await self.files.sent(owner, conversation, [str(each["path"]) for each in page.data])
        return JSONResponse(page.shape(file_shapes.by_user(each, sent) for each in page.data))

    async def _retrieve_file(self, request: Request) -> ASGIApp | None:
        if (which := await self._file(request)) is None:
            return None
        owner = self.host.owner_of(request)
        with named(request.path_params["file"]):
            async with self.files.opened(owner, which) as file:
                its = File(which.path, file.size, file.changed)
        sent = await self.files.sent(owner, which.conversation, [which.path])
        return JSONResponse(file_shapes.container_file(which, its, sent=bool(sent)))

    async def _content(self, request: Request) -> ASGIApp | None:
        if (which := await self._file(request)) is None:
            return None
        folder = self.files.folder(self.host.owner_of(request), which.conversation)
        with named(request.path_params["file"]):
            return download(await folder.open(which.path), request.headers.get("range", ""))

    async def _delete_file(self, request: Request) -> ASGIApp | None:
        if (which := await self._file(request)) is None:
            return None
        with named(request.path_params["file"]):
            await self.files.delete(self.host.owner_of(request), which)
        return JSONResponse(_deleted(request.path_params["file"], "container.file"))

    async def _copy(self, owner: str, identity: object, conversation: str) -> tuple[FileId, File]:
        which = file_of(identity)
        if which is None:
            raise NoSuchFile(f"There is no file {str(identity)[:80]!r} here; upload it with POST /v1/files.")
        with named(identity):
            return await self.files.copy(owner, which, conversation)

    async def _conversation(self, request: Request) -> str | None:
        """The conversation that a request names; None where it names a container of the endpoint's."""
        container = str(request.path_params["container"])
        conversation = conversation_of(container)
        if not conversation:
            raise _missing(request)
        if foreign(container) and not await self.known.find(self.host.owner_of(request), conversation):
            return None
        return conversation

    async def _file(self, request: Request) -> FileId | None:
        """The file that a request names; None where it names a container of the endpoint's."""
        if (conversation := await self._conversation(request)) is None:
            return None
        identity = str(request.path_params["file"])
        which = file_of(identity)
        if which is None or which.conversation != conversation:
            container = repr(str(request.path_params["container"])[:80])
            raise NoSuchFile(NO_FILE.format(container=container, which=repr(identity[:80])))
        return which


def _missing(request: Request) -> HTTPException:
    return HTTPException(404, NO_CONTAINER.format(which=repr(str(request.path_params["container"])[:80])))


def _deleted(identity: object, kind: str) -> dict[str, object]:
    return {"id": identity, "object": f"{kind}.deleted", "deleted": True}
