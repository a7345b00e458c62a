"""A file of a conversation as an answer over HTTP: it is kept by the browser, and never acts in a page."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from pathlib import PurePosixPath
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from coderunner.files.chat_folder import OpenedFile
from coderunner.files.local_files import OpenFile as LocalFile
from coderunner.page.server.files.direct_sending import way_to_client

KINDS = {
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".md": "text/plain; charset=utf-8",
    ".pdf": "application/pdf",
    ".py": "text/plain; charset=utf-8",
    ".tsv": "text/tab-separated-values; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".zip": "application/zip",
    **{f".{name}": f"image/{name}" for name in ("gif", "jpeg", "png", "webp")},
    ".jpg": "image/jpeg",
}
"""What a browser may know of a file: nothing in which programs lie."""
ANYTHING = "application/octet-stream"
CLOSED = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Accept-Ranges": "bytes",
}
_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII)
_PLAIN = re.compile(r"[^\w .()+,=@-]", re.ASCII)


def download(file: OpenedFile, wanted: str = "") -> Response:
    """Give a file, which is closed then; `wanted`: the request's Range, of which a single one is heeded."""
    kind = KINDS.get(PurePosixPath(file.name).suffix.lower(), ANYTHING)
    headers = {**CLOSED, "Content-Disposition": disposition(file.name), "Content-Type": kind}
    asked = _RANGE.fullmatch(wanted)
    if asked is None or asked[1] == asked[2] == "":
        return _part(file, 0, file.size, 200, headers)
    start, end = _span(asked[1], asked[2], file.size)
    if start >= end:
        return _part(file, 0, 0, 416, {**CLOSED, "Content-Range": f"bytes */{file.size}"})
    headers |= {"Content-Range": f"bytes {start}-{end - 1}/{file.size}"}
    return _part(file, start, end, 206, headers)


def streamed(pieces: AsyncGenerator[bytes, None], name: str, kind: str) -> Response:
    """Give a file that is made meanwhile, so that no part of it can be asked for."""
    headers = {
        **CLOSED,
        "Content-Disposition": disposition(name),
        "Content-Type": kind,
        "Accept-Ranges": "none",
    }
    return _Closing(pieces, headers=headers, closed=pieces.aclose)


class _Closing(StreamingResponse):
    """An answer after which something is closed, however it ends, and if it never began."""

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        *,
        closed: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(pieces, status, headers)
        self._closed = closed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._closed()


class _Part(_Closing):
    """A part of a file: from the file to the socket where the server can do that, else in pieces."""

    def __init__(
        self, file: OpenedFile, start: int, end: int, status: int, headers: Mapping[str, str]
    ) -> None:
        length = {"Content-Length": str(end - start)}
        super().__init__(file.pieces(start, end), status, {**headers, **length}, closed=file.close)
        self._file, self._start, self._end = file, start, end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it."""
        self.body_iterator = self._pieces(receive, nothing=scope["method"] == "HEAD")
        await super().__call__(scope, receive, send)

    async def _pieces(self, receive: Receive, *, nothing: bool) -> AsyncGenerator[bytes, None]:
        if nothing:
            return
        start = self._start
        if isinstance(self._file, LocalFile) and (way := way_to_client(receive, self._end - start)):
            start += await way.send(self._file, start, self._end)
            if way.gone:
                return
        async with aclosing(self._file.pieces(start, self._end)) as pieces:
            async for piece in pieces:
                yield piece


def _part(file: OpenedFile, start: int, end: int, status: int, headers: Mapping[str, str]) -> Response:
    return _Part(file, start, end, status, headers)


def disposition(name: str) -> str:
    """The header that has a browser keep a file under its name, in whatever letters that is."""
    plain = _PLAIN.sub("_", name)[:150]
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"


def _span(first: str, last: str, size: int) -> tuple[int, int]:
    """Where to begin and where to end; nothing lies between where there is nothing of what is wanted."""
    if not first:
        return size - min(int(last), size), size
    return int(first), min(int(last) + 1, size) if last else size
