"""A file of a conversation as an answer over HTTP: it is kept by the browser, and never acts in a page."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import PurePosixPath
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from coderunner.files.local_files import OpenFile

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


def download(file: OpenFile, wanted: str = "") -> Response:
    """Give a file, which is closed then; `wanted`: the request's Range, of which a single one is heeded."""
    kind = KINDS.get(PurePosixPath(file.name).suffix.lower(), ANYTHING)
    headers = {**CLOSED, "Content-Disposition": disposition(file.name), "Content-Type": kind}
    asked = _RANGE.fullmatch(wanted)
    if asked is None or asked[1] == asked[2] == "":
        return StreamingResponse(
            _pieces(file, 0, file.size), 200, {**headers, "Content-Length": str(file.size)}
        )
    start, end = _span(asked[1], asked[2], file.size)
    if start >= end:
        file.close()
        return Response(None, 416, {**CLOSED, "Content-Range": f"bytes */{file.size}"})
    headers |= {"Content-Range": f"bytes {start}-{end - 1}/{file.size}", "Content-Length": str(end - start)}
    return StreamingResponse(_pieces(file, start, end), 206, headers)


def disposition(name: str) -> str:
    """The header that has a browser keep a file under its name, in whatever letters that is."""
    plain = _PLAIN.sub("_", name)[:150]
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"


def _pieces(file: OpenFile, start: int, end: int) -> Iterator[bytes]:
    with closing(file):
        yield from file.pieces(start, end)


def _span(first: str, last: str, size: int) -> tuple[int, int]:
    """Where to begin and where to end; nothing lies between where there is nothing of what is wanted."""
    if not first:
        return size - min(int(last), size), size
    return int(first), min(int(last) + 1, size) if last else size
