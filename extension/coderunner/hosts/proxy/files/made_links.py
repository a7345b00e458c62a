"""Links to files of a conversation's folder: what its code has made, and what its model links to itself.

A link leads to the file as it is when it is loaded; it is streamed from the folder, wherever that is.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from coderunner.access.api_keys import ApiKeys
from coderunner.errors import CodeRunnerError
from coderunner.files.chat_folder import ChatFolder, NoSuchFile
from coderunner.hosts.proxy.files.album import Album, asking, owner_of
from coderunner.hosts.proxy.files.album_routes import FILES
from coderunner.hosts.proxy.files.link_targets import LinkTargets, Target
from coderunner.outputs import Result
from coderunner.page.server.files.file_downloads import download

log = logging.getLogger(__name__)

LINKS = 1_000_000
"""Bytes of all links: some 10,000; the oldest are deleted first."""
PATIENCE = 5.0
"""Seconds to find out whether a file is there to which the model links: the reply waits meanwhile."""
EXPIRED = "This link does not exist or has expired."

FolderOf = Callable[[str, str], ChatFolder]
"""Gives the folder of an owner's conversation."""


@dataclass(frozen=True, slots=True)
class MadeLinks:
    """The links to files in one reply, and the reply as they are written into it."""

    album: Album
    owner: str
    conversation: str
    address: str
    """Where browsers reach the proxy."""
    folder: ChatFolder
    _links: dict[str, str] = field(default_factory=dict)
    _targets: LinkTargets = field(default_factory=LinkTargets)

    def of(self, result: Result) -> Mapping[str, str]:
        """The addresses of the files that a result made, by their paths."""
        return {file.path: self._link(file.path) for file in result.files}

    async def receive(self, text: str) -> AsyncIterator[str]:
        """The model's prose, with links to files of the folder in place of those it wrote itself."""
        for piece in self._targets.receive(text):
            yield await self._resolved(piece) if isinstance(piece, Target) else piece

    def close(self) -> str:
        """What was held back of the prose, since something else follows."""
        return self._targets.close()

    async def _resolved(self, target: Target) -> str:
        if target.path not in self._links and not await self._is_there(target.path):
            return target.text
        return f"{await asyncio.to_thread(self._link, target.path)}{target.title}"

    async def _is_there(self, path: str) -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                file = await self.folder.open(path)
                await file.close()
        except (CodeRunnerError, TimeoutError) as failure:
            log.info("A link of the model's leads to no file: %s", failure)
            return False
        return True

    def _link(self, path: str) -> str:
        if path not in self._links:
            entry = json.dumps({"conversation": self.conversation, "path": path}).encode()
            name = self.album.put(self.owner, "file", entry)
            self.album.drop_oldest()
            self._links[path] = f"{self.address}{FILES}{name}/{quote(path.lstrip('/'))}"
        return self._links[path]


def apart(kept: Sequence[str]) -> Sequence[str]:
    """The Markdown of a result's images; what the model says next is a paragraph of its own."""
    return [*kept[:-1], *(f"{last}\n" for last in kept[-1:])]


@dataclass(frozen=True, slots=True)
class FileApp:
    """The ASGI app that serves the files to everybody who has a link."""

    album: Album
    api_keys: ApiKeys
    folder_of: FolderOf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await (await self._answer(scope))(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response:
        name = scope["path"].removeprefix(FILES).partition("/")[0]
        found = await asyncio.to_thread(self.album.find, name, self.api_keys, asking(scope, self.api_keys))
        if found is None or scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse(EXPIRED, 404)
        try:
            entry = json.loads(await asyncio.to_thread(found.read_bytes))
        except OSError:  # another process of ours has deleted it meanwhile
            return PlainTextResponse(EXPIRED, 404)
        try:
            file = await self.folder_of(owner_of(found), entry["conversation"]).open(entry["path"])
        except NoSuchFile as missing:
            return PlainTextResponse(str(missing), 404)
        except CodeRunnerError as failure:
            return PlainTextResponse(str(failure), 503)
        ranges = [value.decode("latin-1") for name, value in scope["headers"] if name == b"range"]
        answer = download(file, ranges[0] if ranges else "")
        # The link is the permission, also in a page of another site that shows the reply.
        answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return answer
