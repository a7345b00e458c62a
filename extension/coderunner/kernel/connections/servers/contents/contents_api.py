"""What we ask a server's Contents API for, and its answers as values.

https://jupyter-server.readthedocs.io/en/latest/developers/contents.html
"""

import base64
import binascii
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from coderunner.errors import KernelError
from coderunner.files.chat_folder import FileError, FolderUnreachable, NoRoom, NoSuchFile, NotAName
from coderunner.files.file_words import NOT_THERE
from coderunner.kernel.connections.servers.refusals import because
from coderunner.kernel.connections.servers.rest_api import Reply, RestApi
from coderunner.kernel.connections.servers.rest_connection import Method
from coderunner.kernel.connections.servers.session_folder import address, make_folder

CHUNK = 3 * 1024 * 1024
"""Bytes of a file in one request, which takes four thirds of it. JupyterLab sends 1 MB."""
PATIENCE = 60.0
"""Seconds for a request: a disk of a network may take its time, and a listing of thousands of files too."""
NO_PARTS = "{name} cannot be uploaded: the server takes no files in parts, and it is larger than {most} MB."
TOO_LARGE_ANSWER = (
    "{name} cannot be downloaded: the server gives no parts of files, and this one is larger than {most} MB."
)
WHOLE = 5 * 1024 * 1024
"""Bytes of a file that comes as JSON, four thirds of it, within the largest reply that is read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the server says of a file or folder; its values are checked."""

    name: str
    folder: bool
    size: int
    """Bytes."""
    changed: int
    """In nanoseconds since 1970; 0 where it is not said."""


class ContentsApi:
    """Files of one server by their paths in it. Raises FileError. Lives in the loop of its RestApi."""

    def __init__(self, rest: RestApi) -> None:
        self._rest = rest

    async def there(self) -> bool:
        """Whether the server has a Contents API that we may use."""
        with suppress(KernelError):
            reply = await self._rest.ask("GET", "api/contents/?content=0")
            return reply.status == 200 and isinstance(reply.json, dict) and "last_modified" in reply.json
        return False

    async def folder(self, path: str, within: float = PATIENCE) -> list[Entry] | None:
        """What is in a folder; None where there is none."""
        where = f"{address(path)}?content=1&type=directory"
        reply = await self._ask("GET", where, name=path or "its files", within=within)
        model = reply.json if isinstance(reply.json, dict) else {}
        content = model.get("content")
        if reply.status != 200 or not isinstance(content, list):
            return None
        return [entry for each in content if (entry := _entry(each)) is not None]

    async def folder_changed(self, path: str) -> int:
        """When a folder was changed, in nanoseconds since 1970; 0 where there is none, or it is not said."""
        reply = await self._ask("GET", f"{address(path)}?content=0&type=directory", name=path)
        model = reply.json if reply.status == 200 and isinstance(reply.json, dict) else {}
        return _nanoseconds(model.get("last_modified"))

    async def about(self, path: str, shown: str) -> Entry:
        """What the server says of a file; raises NoSuchFile."""
        reply = await self._ask("GET", f"{address(path)}?content=0", name=shown)
        entry = _entry(reply.json) if reply.status == 200 else None
        if entry is None or entry.folder:
            raise NoSuchFile(NOT_THERE.format(name=shown))
        return entry

    async def read(self, path: str, shown: str, start: int, end: int) -> bytes:
        """Read a part of a file, at most `CHUNK` bytes; fewer, if it has become shorter."""
        try:
            response = await self._rest.fetch_part(f"files/{quote(path, safe='/')}", start, end)
        except KernelError as error:
            raise FolderUnreachable(f"{shown} cannot be read: {error}.") from error
        body = response.body or b""
        if response.code == 206:
            return body[: end - start]
        if response.code == 200:  # also where all of it was asked for
            return body[start:end]
        if response.code == 416:
            return b""
        return (await self._whole(path, shown))[start:end]

    async def _whole(self, path: str, shown: str) -> bytes:
        """A whole file, from a server that gives no parts."""
        if (await self.about(path, shown)).size > WHOLE:
            raise FileError(TOO_LARGE_ANSWER.format(name=shown, most=WHOLE // 1024 // 1024))
        reply = await self._ask("GET", f"{address(path)}?content=1&type=file&format=base64", name=shown)
        model = reply.json if isinstance(reply.json, dict) else {}
        content = model.get("content")
        try:
            return base64.b64decode(content if isinstance(content, str) else "*")  # in lines
        except (binascii.Error, ValueError):
            raise NoSuchFile(NOT_THERE.format(name=shown)) from None

    async def put(self, path: str, shown: str, content: bytes, number: int, size: int) -> None:
        """Write a chunk of a file: 1, 2, …, and -1 for the last, or 0 for a whole file in one.

        `size`: bytes that it has then. Servers that know no chunks write each in the place of the one before.
        """
        which = b'"chunk": %d, ' % number if number else b""
        # Written as it travels: to have four megabytes quoted takes as long as all else.
        model = b'{"type": "file", "format": "base64", %b"content": "%b"}' % (
            which,
            base64.b64encode(content),
        )
        reply = await self._ask("PUT", address(path), model, name=shown)
        if reply.status not in (200, 201):
            raise self._failed(f"{shown} cannot be written", reply)
        entry = _entry(reply.json)
        if entry is None or entry.size != size:
            raise FileError(NO_PARTS.format(name=shown, most=CHUNK // 1024 // 1024))

    async def rename(self, old: str, new: str, shown: str) -> bool:
        """Give a file another name; False where one has it already. Raises NoSuchFile."""
        reply = await self._ask("PATCH", address(old), {"path": new}, name=shown)
        if reply.status == 404:
            raise NoSuchFile(NOT_THERE.format(name=shown))
        if reply.status == 409:
            return False
        if reply.status != 200:
            raise self._failed(f"{shown} cannot be renamed", reply)
        return True

    async def delete(self, path: str, shown: str) -> None:
        """Delete a file; raises NoSuchFile."""
        await self.about(path, shown)  # of a folder, all that is in it would be deleted
        reply = await self._ask("DELETE", address(path), name=shown)
        if reply.status == 404:
            raise NoSuchFile(NOT_THERE.format(name=shown))
        if reply.status not in (200, 204):
            raise self._failed(f"{shown} cannot be deleted", reply)

    async def make(self, path: str, shown: str) -> None:
        """Make a folder with those above it."""
        if not await make_folder(self._rest, path):
            raise NotAName(f"{shown} cannot be written: the server does not make a folder for it.")

    async def _ask(
        self, method: Method, path: str, content: object = None, *, name: str, within: float = PATIENCE
    ) -> Reply:
        try:
            return await self._rest.ask(method, path, content, within=within)
        except KernelError as error:
            raise FolderUnreachable(f"The server was asked for {name}, but {error}.") from error

    def _failed(self, what: str, reply: Reply) -> FileError:
        reason = because(reply.json)
        if reply.status in (413, 507) or "space" in reason:
            return NoRoom(f"{what}: there is no room on the server (HTTP {reply.status}{reason}).")
        return FileError(f"{what}: the server does not do it (HTTP {reply.status}{reason}).")


def _entry(model: object) -> Entry | None:
    """An answer's values, checked; None where it is none of a file or folder with a name."""
    if not isinstance(model, Mapping):
        return None
    name, size, kind = model.get("name"), model.get("size"), model.get("type")
    if not isinstance(name, str) or not name or "/" in name or kind not in ("file", "notebook", "directory"):
        return None
    known = size if isinstance(size, int) and size > 0 else 0
    return Entry(name, kind == "directory", known, _nanoseconds(model.get("last_modified")))


def _nanoseconds(when: object) -> int:
    try:
        return int(datetime.fromisoformat(str(when)).timestamp() * 1_000_000) * 1000
    except (ValueError, OverflowError, OSError):
        return 0
