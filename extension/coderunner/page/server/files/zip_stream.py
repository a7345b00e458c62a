"""Files of a chat as one zip, made while it is sent."""

import asyncio
import io
import time
import zipfile
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from coderunner.files.chat_folder import ChatFolder, File, NoSuchFile
from coderunner.files.file_kinds import file_kind

_SQUEEZED = ("text", "table")
"""Kinds that become smaller at little cost; others are compressed by themselves."""
_FIRST, _LAST = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)
"""What the format can say of a time."""


async def zipped(folder: ChatFolder, files: Iterable[File]) -> AsyncGenerator[bytes, None]:
    """The bytes of the zip; holds a piece of a file at a time. A file that is gone meanwhile is left out.

    Raises FileError in the middle of a file that cannot be read on: what was sent is no whole zip then.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", compresslevel=1) as archive:
        for file in files:
            try:
                opened = await folder.open(file.path)
            except NoSuchFile:
                continue
            try:
                with archive.open(_entry(file.path, opened.size, opened.changed), "w") as entry:
                    async with aclosing(opened.pieces(0, opened.size)) as pieces:
                        async for piece in pieces:
                            await asyncio.to_thread(entry.write, piece)
                            if taken := sink.take():
                                yield taken
            finally:
                await opened.close()
    yield sink.take()


def _entry(path: str, size: int, changed: int) -> zipfile.ZipInfo:
    when = time.localtime(changed / 1e9)[:6]
    entry = zipfile.ZipInfo(path, max(_FIRST, min(when, _LAST)))
    entry.file_size = size  # says whether its place in the zip needs more digits
    entry.compress_type = zipfile.ZIP_DEFLATED if file_kind(path) in _SQUEEZED else zipfile.ZIP_STORED
    entry.external_attr = 0o600 << 16
    return entry


class _Sink(io.RawIOBase):
    """Takes what is written, until it is sent; nobody can go back in it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        part = bytes(data)  # type: ignore[call-overload]
        self._parts.append(part)
        return len(part)

    def take(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)
