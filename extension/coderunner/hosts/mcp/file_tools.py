"""The tools for the files of a session's working directory, and these files as resources."""

import asyncio
import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Annotated, Literal

from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError, ToolError
from mcp.types import (
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    Resource,
    TextResourceContents,
)
from pydantic import BaseModel, Field

from coderunner.errors import CodeRunnerError
from coderunner.files.chat_folder import ChatFolder, FolderUnreachable, NoSuchFile
from coderunner.files.file_kinds import FileKind, file_kind
from coderunner.hosts.mcp.arguments import CallContext, Callers, Name, Whole
from coderunner.hosts.mcp.client_sessions import ClientSessions
from coderunner.hosts.mcp.files.file_content import as_text, path_in, read
from coderunner.hosts.mcp.files.file_uris import file_uri, mime_type
from coderunner.ids import new_id
from coderunner.text.base64_text import decoded
from coderunner.text.terminal_text import visible

MOST_SENT = 3_000_000
"""Characters of a call: as many as are held in memory some times over for a moment."""
LARGEST_CALL = 6 * MOST_SENT + 1_000_000
"""Bytes of a request over HTTP: JSON may take six for a character."""
USUAL = 100_000
"""Bytes that a download gives if it does not say how many: what a model can read."""
MOST_GIVEN = 4_000_000
"""Bytes that a download gives at most."""
LARGEST_RESOURCE = 16_000_000
"""Bytes of a file that is read as a resource, which has no ranges."""
LISTED = 500
"""Files in the list of resources, and in a listing."""
PATIENCE = 5.0
"""Seconds for the files of one session in the list of resources."""

_THE_CHAT = re.compile(r"\b(in|of) this chat\b")
"""How the sentences of a folder name whose it is."""
NOT_BASE64 = "the content is not valid base64; nothing was written"
TOO_LONG = (
    f"a call takes at most {MOST_SENT:,} characters: send the file in several calls, with more=true for all "
    "but the last"
)


class Uploaded(BaseModel):
    """A file that was sent."""

    session: str
    path: str = Field(
        description="The path that the file got in the working directory of the session's code."
    )
    size: int = Field(description="Bytes so far.")
    complete: bool = Field(description="False: it waits for more, and is not in the working directory yet.")
    uri: str = Field(description="The file as a resource; empty if it is not complete.")


class ListedFile(BaseModel):
    """A file."""

    path: str
    size: int
    changed: float = Field(description="When its content was changed, in seconds since 1970.")
    kind: FileKind
    uri: str


class Files(BaseModel):
    """The files of a session."""

    session: str
    files: list[ListedFile]
    more: int = Field(description="How many there are besides.")


class Downloaded(BaseModel):
    """What a download gives, in the content of the result."""

    session: str
    path: str
    size: int = Field(description="Bytes of the whole file.")
    start: int
    end: int = Field(description="Where to start next; the same as size if nothing is left.")
    encoding: Literal["text", "base64"]
    uri: str


class FileTools:
    """The tools of one server for files, for all its clients."""

    def __init__(self, sessions: ClientSessions, callers: Callers) -> None:
        self._sessions = sessions
        self._callers = callers

    async def upload(
        self,
        ctx: CallContext,
        name: Annotated[
            str, Whole, Field(description="its name, perhaps with folders: data/a.csv", min_length=1)
        ],
        content: Annotated[str, Whole, Field(description=f"at most {MOST_SENT:,} characters")],
        *,
        encoding: Annotated[Literal["text", "base64"], Field(description="what content is")] = "text",
        more: Annotated[
            bool,
            Field(description="true: the next call with this name continues the file; false: it is complete"),
        ] = False,
        session: Name = "",
    ) -> Uploaded:
        """Write a file to the working directory of a session's code; a large one in several calls.

        It overwrites nothing: a name that another file has gets a number. Use the path that is returned.
        """
        if len(content) > MOST_SENT:
            raise ToolError(TOO_LONG)
        owner = self._callers.owner(ctx)
        where = self._callers.session(session) or new_id(9)
        folder = await self._folder(owner, where, opens=True)
        uploads, key = self._sessions.uploads(owner), (where, name)
        under_way = uploads.take(key)
        try:
            await asyncio.to_thread(under_way.add, _bytes(content, encoding))
            if more:
                uploads.put_back(key, under_way)
                return Uploaded(session=where, path=name, size=under_way.size, complete=False, uri="")
            try:
                written = await folder.write(name, under_way.pieces(), under_way.size)
            except FolderUnreachable:
                await self._sessions.start(await self._sessions.opened(owner, where))
                written = await folder.write(name, under_way.pieces(), under_way.size)
        except (ValueError, CodeRunnerError) as refused:
            under_way.close()
            raise ToolError(_said(refused)) from None
        under_way.close()
        uri = file_uri(where, written.path)
        return Uploaded(session=where, path=written.path, size=written.size, complete=True, uri=uri)

    async def download(
        self,
        ctx: CallContext,
        path: Annotated[str, Whole, Field(description="its path in the working directory", min_length=1)],
        start: Annotated[int, Field(description="first byte", ge=0)] = 0,
        length: Annotated[int, Field(description="bytes at most", ge=1, le=MOST_GIVEN)] = USUAL,
        encoding: Annotated[
            Literal["auto", "base64"], Field(description="auto: text where it is text, else base64")
        ] = "auto",
        session: Name = "",
    ) -> Annotated[CallToolResult, Downloaded]:
        """Read a file of a session's working directory, or a part of it."""
        owner, where = self._callers.owner(ctx), self._callers.session(session)
        folder, path = await self._folder(owner, where), path_in(path)
        try:
            size, content = await read(folder, path, start, length)
        except CodeRunnerError as refused:
            raise ToolError(_said(refused)) from None
        text = None if encoding == "base64" else as_text(content, whole=start + len(content) >= size)
        uri, kind = file_uri(where, path), mime_type(path)
        end = min(start, size) + len(content if text is None else text.encode())
        given = (
            BlobResourceContents(uri=uri, mime_type=kind, blob=b64encode(content).decode())
            if text is None
            else TextResourceContents(uri=uri, mime_type=kind, text=text)
        )
        facts = Downloaded(
            session=where,
            path=path,
            size=size,
            start=start,
            end=end,
            encoding="base64" if text is None else "text",
            uri=uri,
        )
        return CallToolResult(
            content=[EmbeddedResource(resource=given)], structured_content=facts.model_dump()
        )

    async def files(self, ctx: CallContext, session: Name = "") -> Files:
        """List the files in the working directory of a session's code."""
        owner, where = self._callers.owner(ctx), self._callers.session(session)
        folder = await self._folder(owner, where)
        try:
            listing = await folder.list()
        except CodeRunnerError as refused:
            raise ToolError(_said(refused)) from None
        if session and not listing.files and self._sessions.find(owner, session) is None:
            raise ToolError(f"there is no session {session!r}, or it has no files; list_sessions lists yours")
        shown = [
            ListedFile(
                path=visible(file.path),
                size=file.size,
                changed=file.changed / 1e9,
                kind=file_kind(file.path),
                uri=file_uri(where, file.path),
            )
            for file in listing.files[:LISTED]
        ]
        more = listing.more + listing.unnamed + max(len(listing.files) - LISTED, 0)
        return Files(session=where, files=shown, more=more)

    async def resources(self, owner: str) -> list[Resource]:
        """The files of all sessions of a client, as many as `LISTED`; without those that are out of reach."""
        found: list[Resource] = []
        for name in self._sessions.all(owner):
            try:
                async with asyncio.timeout(PATIENCE):
                    listing = await (await self._sessions.files(owner, name)).list()
            except (CodeRunnerError, TimeoutError):
                continue
            found += [
                Resource(
                    uri=file_uri(name, file.path),
                    name=visible(file.path),
                    mime_type=mime_type(file.path),
                    size=file.size,
                )
                for file in listing.files[: LISTED - len(found)]
            ]
        return found

    async def resource(self, session: str, path: str, ctx: CallContext) -> bytes:
        """A file in the working directory of a session."""
        folder = await self._sessions.files(self._callers.owner(ctx), session)
        try:
            size, content = await read(folder, path, 0, LARGEST_RESOURCE)
        except NoSuchFile as missing:
            raise ResourceNotFoundError(_said(missing)) from None
        except CodeRunnerError as failure:
            raise ResourceError(_said(failure)) from None
        if size > len(content):
            raise ResourceError(
                f"{path} has {size:,} bytes, and a resource at most {LARGEST_RESOURCE:,}: read it in "
                "parts, with the tool download"
            )
        return content

    async def _folder(self, owner: str, session: str, *, opens: bool = False) -> ChatFolder:
        if not session:
            raise ToolError("name the session whose files are meant; list_sessions lists them")
        try:
            if opens:
                await self._sessions.opened(owner, session)
            return await self._sessions.files(owner, session)
        except (ValueError, CodeRunnerError) as refused:
            raise ToolError(_said(refused)) from None


def _said(failure: Exception) -> str:
    """What went wrong, for clients that have sessions and no chats."""
    return _THE_CHAT.sub(r"\1 this session", str(failure))


def _bytes(content: str, encoding: str) -> Iterator[bytes]:
    if encoding == "text":
        yield content.encode()
        return
    try:
        yield from decoded(content)
    except ValueError:
        raise ValueError(NOT_BASE64) from None
