"""Files that clients send in several calls: kept apart until the last, so that none is seen half written."""

import tempfile
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable
from typing import IO

MOST = 8
"""Files of one client that are under way; the one that waits longest is dropped for another."""
LARGEST = 1_000_000_000
"""Bytes of a file that is under way, and of all of one client together."""
IN_MEMORY = 1_000_000
"""Bytes that are kept in memory, not in a temporary file."""
PIECE = 256 * 1024

Key = tuple[str, str]
"""A session's name, and a file's."""


class Upload:
    """One file under way."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - `close` closes it
        self.size = 0
        """Bytes so far."""

    def add(self, pieces: Iterable[bytes]) -> None:
        """Add to its end; raises ValueError if it is too large then, and whatever `pieces` raises."""
        for piece in pieces:
            self.size += len(piece)
            if self.size > LARGEST:
                raise ValueError(f"a file has at most {LARGEST:,} bytes here; have code load it")
            self._file.write(piece)

    async def pieces(self) -> AsyncIterator[bytes]:
        """All of it."""
        self._file.seek(0)
        while piece := self._file.read(PIECE):
            yield piece

    def close(self) -> None:
        """Forget it."""
        self._file.close()


class Uploads:
    """The files under way of one client."""

    def __init__(self) -> None:
        self._open: OrderedDict[Key, Upload] = OrderedDict()

    def take(self, key: Key) -> Upload:
        """The file under way of that name, a new one if there is none; it is no longer kept here."""
        return self._open.pop(key, None) or Upload()

    def put_back(self, key: Key, upload: Upload) -> None:
        """Keep it for the next call."""
        self._open[key] = upload
        while len(self._open) > MOST or sum(each.size for each in self._open.values()) > LARGEST:
            self._open.popitem(last=False)[1].close()

    def drop(self, session: str) -> None:
        """Forget what is under way to a session."""
        for key in [key for key in self._open if key[0] == session]:
            self._open.pop(key).close()

    def close(self) -> None:
        """Forget all."""
        while self._open:
            self._open.popitem()[1].close()
