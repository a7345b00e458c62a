"""How the routes of containers and files answer: here, or by passing on what is the endpoint's."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from coderunner.errors import CodeRunnerError, RecordsUnavailable, UnreadableJSON
from coderunner.files.chat_folder import FileError, FolderUnreachable, NoRoom, NoSuchFile, NotAName
from coderunner.hosts.proxy.client_api.api_host import ApiHost
from coderunner.hosts.proxy.client_api.chat_request import OFF, UnusableRequest
from coderunner.hosts.proxy.client_api.refusal import Refusal
from coderunner.hosts.proxy.client_api.request_reader import RequestReader
from coderunner.hosts.proxy.operation.request_facts import facts_of
from coderunner.text import json_reader

STATUS: Mapping[type[BaseException], int] = {
    NoSuchFile: 404,
    NotAName: 400,
    NoRoom: 413,
    UnusableRequest: 400,
    FolderUnreachable: 503,
    RecordsUnavailable: 503,
}
OTHER = 409
"""For what was not done for another reason of the file's."""
LARGEST = 1_000_000
"""Bytes of a request that is no upload."""
NOT_READ = "The request is not a JSON object of at most 1 MB."


@dataclass(frozen=True, slots=True)
class Answering:
    """A route as an ASGI app."""

    host: ApiHost
    route: str
    """Its name in metrics."""
    answer: Callable[[Request], Awaitable[ASGIApp | None]]
    """Gives the answer; None where the endpoint has it. Raises CodeRunnerError and HTTPException."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        facts_of(scope).route = self.route
        answer = await self._answer(Request(scope, receive)) or RequestReader(self.host.passed)
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> ASGIApp | None:
        if not self.host.runs or request.headers.get(OFF, "").casefold() == "off":
            return None
        try:
            return await self.answer(request)
        except CodeRunnerError as failure:
            if not isinstance(failure, FileError | UnusableRequest):
                self.host.failed(request, failure)
            status = next((STATUS[kind] for kind in type(failure).__mro__ if kind in STATUS), OTHER)
            return Refusal(str(failure), status)
        except HTTPException as failure:
            return Refusal(failure.detail, failure.status_code)
        except ClientDisconnect:
            return Refusal("The upload broke off.", 400)  # which nobody reads


async def json_of(request: Request) -> Mapping[str, object]:
    """The body of a request, which is an object; an empty one where there is none."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST:
            raise HTTPException(413, NOT_READ)
    try:
        read = json_reader.loads(body) if body.strip() else {}
    except UnreadableJSON:
        read = None
    if not isinstance(read, dict):
        raise HTTPException(400, NOT_READ)
    return read
