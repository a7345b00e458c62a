"""Routes of a chat's files, to be added to a host's own ASGI app.

A link opens a file, so its address asks for no token of the page; the host's login and the check of the
Origin stand before all of them.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from coderunner.files.chat_folder import (
    MOST,
    ChatFolder,
    File,
    FileError,
    Listing,
)
from coderunner.files.file_kinds import file_kind
from coderunner.page.server.files.answers import (
    NO_CHAT,
    NOT_OURS,
    FolderOf,
    Refused,
    answered,
    for_link,
    for_page,
    json_of,
    status_of,
)
from coderunner.page.server.files.direct_receiving import Body
from coderunner.page.server.files.file_downloads import download, streamed
from coderunner.page.server.files.zip_stream import zipped
from coderunner.page.server.routes import HEADER, Rights
from coderunner.page.server.static_files import PREFIX

LISTED = 2_000
"""Files that a page is given, those that were changed last; it draws each of them."""
UNREAD = 16 * 1024 * 1024
"""Bytes of a refused upload that are read on, so that the browser is still there for the answer."""
UNREAD_TIME = 2.0
"""Seconds for that."""
TOO_MANY = (
    "This chat has more than {count} files, too many for one download; let the code put them into a zip."
)
UNNAMED = ("1 file has a name", "{count} files have names")
"""One, and several."""
WHY_UNNAMED = "that no list can show; let the code rename {them}."
NOT_LOOKED_AT = ("1 more file or folder is", "{count} more files and folders are")
"""One, and several."""
PARTLY = "{why} Deleted: {gone} of {all}."
WHY_NOT_LOOKED_AT = "not listed: there are too many, or they lie too deep."


@dataclass(frozen=True, slots=True)
class FileRoutes:
    """The routes, to be added to a host's app under their absolute paths."""

    rights: Rights
    folder_of: FolderOf

    def all(self) -> list[BaseRoute]:
        """All routes."""
        return [
            Route(f"{PREFIX}/files", self.list, methods=["GET"]),
            Route(f"{PREFIX}/files", self.upload, methods=["PUT"]),
            Route(f"{PREFIX}/files", self.change, methods=["POST"]),
            Route(f"{PREFIX}/files.zip", self.zip, methods=["GET"]),
            Route(f"{PREFIX}/file", self.file, methods=["GET"]),
        ]

    @answered(for_page)
    async def list(self, request: Request) -> Response:
        """The files of a chat: `?c=…`, with `&match=…` those of such a name; `error` says why none are known.

        That is no failed request: the page asks by itself, and a browser's console complains of those.
        """
        folder = await self._own(request)
        try:
            listing = await folder.list()
            room = await folder.room(listing)
        except FileError as error:
            return JSONResponse({"error": str(error)})
        word = request.query_params.get("match", "").strip().lower()
        files = tuple(file for file in listing.files if word in file.path.lower())
        if len(files) > LISTED:
            files = tuple(sorted(sorted(files, key=attrgetter("changed"))[-LISTED:]))
        answer = {
            "files": [{**_described(file), "changed": file.changed // 1_000_000} for file in files],
            "cut": len(listing.files) > LISTED,
            "more": listing.more + listing.unnamed + len(listing.files) - len(files),
            "left": _left_out(listing),
            "used": room.used,
            "room": room.left,
            "where": folder.where,
        }
        return JSONResponse(answer)

    @answered(for_page)
    async def upload(self, request: Request) -> Response:
        """Take a file in: `?c=…&path=…`, its bytes as the body. Says under which path it is kept."""
        folder = await self._own(request)
        length = request.headers.get("content-length", "")
        size = int(length) if length.isascii() and length.isdecimal() else None
        body = Body(request, size)
        try:
            kept = await folder.write(request.query_params.get("path", ""), body, size)
        except FileError:
            await _read_on(body)
            raise
        return JSONResponse(_described(kept))

    @answered(for_page)
    async def change(self, request: Request) -> Response:
        """Rename a file, or delete some: `{"rename": [old, new]}`, `{"delete": [path, …]}`."""
        folder = await self._own(request)
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise Refused(415, "Send JSON.")
        match await json_of(request):
            case {"rename": [str(old), str(new)]}:
                return JSONResponse(_described(await folder.rename(old, new)))
            case {"delete": [*paths]} if len(paths) <= LISTED:
                return await _deleted(folder, [path for path in paths if isinstance(path, str)])
            case _:
                raise Refused(400, 'Send {"rename": [old, new]} or {"delete": [path, …]}.')

    @answered(for_link)
    async def zip(self, request: Request) -> Response:
        """All files of a chat in one that a list shows: `?c=…`."""
        folder = await self._of(request)
        listing = await folder.list()
        if listing.more and len(listing.files) >= MOST:
            raise Refused(413, TOO_MANY.format(count=len(listing.files)))
        return streamed(zipped(folder, listing.files), "files.zip", "application/zip")

    @answered(for_link)
    async def file(self, request: Request) -> Response:
        """A file of a chat: `?c=…&path=…`."""
        file = await (await self._of(request)).open(request.query_params.get("path", ""))
        return download(file, request.headers.get("range", ""))

    async def _own(self, request: Request) -> ChatFolder:
        """The folder that a page of ours asks for."""
        if self.rights.admit(request.scope, request.headers.get(HEADER, "")) is None:
            raise Refused(403, NOT_OURS)
        return await self._of(request)

    async def _of(self, request: Request) -> ChatFolder:
        folder = await self.folder_of(request.query_params.get("c", ""))
        if folder is None:
            raise Refused(404, NO_CHAT)
        return folder


async def _deleted(folder: ChatFolder, paths: list[str]) -> Response:
    """Delete all that can be; what cannot is told, in a sentence of the first and all by their paths."""
    failed: dict[str, FileError] = {}
    gone = []
    for path in dict.fromkeys(paths):
        try:
            await folder.delete(path)
            gone.append(path)
        except FileError as error:
            failed[path] = error
    if not failed:
        return JSONResponse({"deleted": len(gone)})
    first = next(iter(failed.values()))
    said = PARTLY.format(why=first, gone=len(gone), all=len(gone) + len(failed)) if gone else str(first)
    answer = {"error": said, "deleted": gone, "failed": {path: str(error) for path, error in failed.items()}}
    return JSONResponse(answer, status_of(first))


def _left_out(listing: Listing) -> str:
    """What no list of a chat shows, and why; empty: nothing."""
    said = []
    if listing.unnamed:
        many = listing.unnamed > 1
        why = WHY_UNNAMED.format(them="them" if many else "it")
        said.append(f"{UNNAMED[many].format(count=f'{listing.unnamed:,}')} {why}")
    if listing.more:
        count = f"{listing.more:,}"
        said.append(f"{NOT_LOOKED_AT[listing.more > 1].format(count=count)} {WHY_NOT_LOOKED_AT}")
    return " ".join(said)


def _described(file: File) -> dict[str, object]:
    return {"path": file.path, "size": file.size, "kind": file_kind(file.path)}


async def _read_on(stream: AsyncIterator[bytes]) -> None:
    """Read a little of what nobody wants: a browser that is still sending may not see the answer else."""
    size = 0
    with suppress(TimeoutError, ClientDisconnect, RuntimeError):
        async with asyncio.timeout(UNREAD_TIME):
            async for piece in stream:
                size += len(piece)
                if size > UNREAD:
                    return
