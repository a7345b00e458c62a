"""How routes of files answer: JSON for our scripts, text for who follows a link, a sentence for a failure."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from functools import wraps
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from coderunner.files.chat_folder import (
    ChatFolder,
    FileError,
    FolderUnreachable,
    NoRoom,
    NoSuchFile,
    NotAName,
)
from coderunner.page.server.files.file_downloads import CLOSED
from coderunner.text.json_reader import loads

LARGEST_CHANGE = 1024 * 1024
"""Bytes of a request to rename or delete."""
STATUS: Mapping[type[FileError], int] = {
    NoSuchFile: 404,
    NotAName: 400,
    NoRoom: 507,
    FolderUnreachable: 503,
}
NOT_OURS = "Only CodeRunner's own page may do this."
NO_CHAT = "This conversation no longer exists."

FolderOf = Callable[[str], Awaitable[ChatFolder | None]]
"""The folder of the conversation of that id; None where there is no such one for who asks."""


def status_of(error: FileError) -> int:
    """The status that says it."""
    return STATUS.get(type(error), 409)


class Refused(Exception):
    """A request that is answered with a sentence."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


Routes = TypeVar("Routes")
Endpoint = Callable[[Routes, Request], Awaitable[Response]]


def answered(
    told: Callable[[int, str], Response],
) -> Callable[[Endpoint[Routes]], Endpoint[Routes]]:
    """Have what goes wrong in an endpoint told as an answer."""

    def decorate(endpoint: Endpoint[Routes]) -> Endpoint[Routes]:
        @wraps(endpoint)
        async def answering(routes: Routes, request: Request) -> Response:
            try:
                return await endpoint(routes, request)
            except Refused as refused:
                return told(refused.status, str(refused))
            except FileError as error:
                return told(status_of(error), str(error))
            except ClientDisconnect:
                return told(400, "The upload broke off.")  # which nobody reads

        return answering

    return decorate


def sent(value: object) -> Response:
    """What a script of ours has asked for."""
    return JSONResponse(value)


def for_page(status: int, said: str) -> Response:
    """For a script of ours."""
    return JSONResponse({"error": said}, status)


def for_link(status: int, said: str) -> Response:
    """For who has followed a link."""
    return PlainTextResponse(said, status, CLOSED)


async def json_of(request: Request) -> object:
    """The body of a request as JSON; None where it is none. Raises Refused where it is too large."""
    body = b""
    async with aclosing(request.stream()) as stream:
        async for chunk in stream:
            body += chunk
            if len(body) > LARGEST_CHANGE:
                raise Refused(413, "The request is too large.")
    try:
        return loads(body)
    except ValueError:
        return None
