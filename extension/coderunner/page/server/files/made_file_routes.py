"""Routes of the files that blocks made: preview, download, and which are gone or have changed since.

Who has a page with a block in it may have the block's own files, and by its id, which cannot be guessed, a
link needs no token of the page. Each route looks at who asks, whatever the host has looked at before.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from coderunner.access.origins import refusal
from coderunner.files.chat_folder import ChatFolder, File, FileError, NoSuchFile
from coderunner.outputs import MadeFile
from coderunner.page.server.files.answers import (
    NO_CHAT,
    NOT_OURS,
    FolderOf,
    Refused,
    answered,
    for_link,
    for_page,
    json_of,
    sent,
)
from coderunner.page.server.files.file_downloads import download
from coderunner.page.server.files.previews import no_kernel, preview
from coderunner.page.server.routes import HEADER, Rights
from coderunner.page.server.static_files import PREFIX
from coderunner.page.server.subscriptions import Subscriptions

MOST_BLOCKS = 200
"""Blocks that are asked for at once: more than a page shows."""
MOST_ONE_BY_ONE = 100
"""Files that are looked at singly where a folder has more than a listing holds."""
COARSE = 2_000_000
"""Nanoseconds to which a server tells the time of a file; 0: it does not tell it."""
NOT_ITS = "The block has no such file."
GONE, CHANGED = "gone", "changed"

TableHeads = Callable[[str, str], Awaitable[Mapping[str, object] | None]]
"""What the kernel of a conversation says of the first rows of a table at a path; None: it cannot be asked."""


async def _nobody(_chat: str, path: str) -> None:
    await no_kernel(path)


@dataclass(frozen=True, slots=True)
class MadeFileRoutes:
    """The routes, to be added to a host's app under their absolute paths."""

    rights: Rights
    subscriptions: Subscriptions
    folder_of: FolderOf
    heads: TableHeads = _nobody

    def all(self) -> list[BaseRoute]:
        """All routes."""
        return [
            Route(f"{PREFIX}/preview", self.preview, methods=["GET"]),
            Route(f"{PREFIX}/made", self.download, methods=["GET"]),
            Route(f"{PREFIX}/made", self.marks, methods=["POST"]),
        ]

    @answered(for_page)
    async def preview(self, request: Request) -> Response:
        """The head of a file: `?cell=…&path=…` of a block's, `?c=…&path=…` of a chat's."""
        owner = self._owner(request)
        chat = request.query_params.get("c")
        if chat is None:
            chat = self._its_chat(request, owner)
        folder = await self._folder(chat)
        return sent(await preview(folder, request.query_params.get("path", ""), partial(self.heads, chat)))

    @answered(for_link)
    async def download(self, request: Request) -> Response:
        """A file that a block made: `?cell=…&path=…`."""
        # A link sends no token.
        owner = self.rights.owner(request.scope)
        if owner is None or refusal(request.scope, self.rights.hosts):
            raise Refused(403, NOT_OURS)
        folder = await self._folder(self._its_chat(request, owner))
        file = await folder.open(request.query_params.get("path", ""))
        return download(file, request.headers.get("range", ""))

    @answered(for_page)
    async def marks(self, request: Request) -> Response:
        """Which files of blocks are not any more what the blocks made: `{"cells": [id, …]}`.

        Gives `{id: {path: "gone" | "changed"}}`; what cannot be known now is left out.
        """
        owner = self._owner(request)
        match await json_of(request):
            case {"cells": [*cells]} if len(cells) <= MOST_BLOCKS:
                return sent(await self._marks([cell for cell in cells if isinstance(cell, str)], owner))
            case _:
                raise Refused(400, 'Send {"cells": [id, …]}.')

    async def _marks(self, cells: Sequence[str], owner: str) -> Mapping[str, Mapping[str, str]]:
        found = {cell: its for cell in cells if (its := self.subscriptions.made(cell, owner)) is not None}
        asked: dict[str, set[str]] = {}
        for chat, files in found.values():
            asked.setdefault(chat, set()).update(file.path for file in files)
        now = {chat: await self._listed(chat, paths) for chat, paths in asked.items()}
        return {
            cell: {file.path: mark for file in files if (mark := _mark(file, listed))}
            for cell, (chat, files) in found.items()
            if (listed := now[chat]) is not None
        }

    async def _listed(self, chat: str, paths: Iterable[str]) -> Mapping[str, File] | None:
        """The files of a chat as they are, among them all of `paths` that are there; None: nobody knows."""
        try:
            folder = await self._folder(chat)
            listing = await folder.list()
            files = {file.path: file for file in listing.files}
            unknown = [path for path in paths if path not in files] if listing.more else []
            if len(unknown) > MOST_ONE_BY_ONE:
                return None
            for path in unknown:
                with suppress(NoSuchFile):
                    opened = await folder.open(path)
                    files[path] = File(path, opened.size, opened.changed)
                    await opened.close()
        except (FileError, Refused):
            return None
        return files

    def _owner(self, request: Request) -> str:
        owner = self.rights.admit(request.scope, request.headers.get(HEADER, ""))
        if owner is None:
            raise Refused(403, NOT_OURS)
        return owner

    def _its_chat(self, request: Request, owner: str) -> str:
        """The conversation of a block that made the file that is asked for."""
        made = self.subscriptions.made(request.query_params.get("cell", ""), owner)
        path = request.query_params.get("path", "")
        if made is None or path not in {file.path for file in made[1]}:
            raise NoSuchFile(NOT_ITS)
        return made[0]

    async def _folder(self, chat: str) -> ChatFolder:
        folder = await self.folder_of(chat)
        if folder is None:
            raise Refused(404, NO_CHAT)
        return folder


def _mark(made: MadeFile, now: Mapping[str, File]) -> str:
    file = now.get(made.path)
    if file is None:
        return GONE
    later = file.changed and abs(file.changed - made.changed) >= COARSE
    return CHANGED if later or file.size != made.size else ""
