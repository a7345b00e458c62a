"""The folder of a conversation on a Jupyter server: of the same path as its session, unless one is chosen.

A server starts a kernel in the folder of its session's path, if there is one, and else in one above: without
it all conversations would have the server's own folder together.
"""

import asyncio
from contextlib import suppress
from urllib.parse import quote

from coderunner.errors import KernelError, KernelNotStarted, NotPermitted
from coderunner.kernel.connections.servers.rest_api import RestApi

PATIENCE = 5.0
"""Seconds for it: a kernel starts without, too, in a folder above."""


NO_FOLDER = (
    "the Jupyter server {url} has no folder {folder}, or hides it; make it there, or change server_folder"
)


def address(path: str) -> str:
    """The Contents API's address of a path."""
    return f"api/contents/{quote(path.strip('/'), safe='/')}"


async def make_folder(rest: RestApi, path: str) -> bool:
    """Make a folder with those above it; False where that cannot be, as on a gateway."""
    parts = path.split("/")
    with suppress(KernelError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            for count in range(1, len(parts) + 1):
                folder = address("/".join(parts[:count]))
                reply = await rest.ask("PUT", folder, {"type": "directory"})
                if reply.status not in (200, 201):
                    return False
            return True
    return False


async def require_folder(rest: RestApi, folder: str) -> None:
    """Raise KernelNotStarted where a server has no such folder: it would start the kernel in one above."""
    with suppress(TimeoutError, NotPermitted):
        async with asyncio.timeout(PATIENCE):
            folders = [f"{address(each)}?content=0&type=directory" for each in (folder, "")]
            if (await rest.ask("GET", folders[0])).status == 200:
                return
            if (await rest.ask("GET", folders[1])).status == 200:  # there is a Contents API
                raise KernelNotStarted(NO_FOLDER.format(url=rest.url, folder=folder))


async def remove_empty(rest: RestApi, path: str) -> None:
    """Remove a folder in which the program left nothing that a listing shows."""
    with suppress(KernelError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            reply = await rest.ask("GET", f"{address(path)}?content=1&type=directory")
            model = reply.json if isinstance(reply.json, dict) else {}
            if reply.status == 200 and model.get("content") == []:
                await rest.ask("DELETE", address(path))
