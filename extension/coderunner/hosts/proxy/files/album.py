"""What the proxy gives to whoever has a link: under random names, for a time, as long as its owner has a key.

A page loads an image without a key, and a browser a file, so a link is the permission to have what it leads
to: its name has 128 random bits, and it expires with its owner's key or after `keep_days`.
"""

import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from starlette.types import Scope

from coderunner.access.api_keys import ApiKeys
from coderunner.private_folders import make_private

DAY = 86_400.0
NAME = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Album:
    """Entries in a folder: one file each, whose name has the entry's, its owner's and its kind."""

    folder: Path
    days: float
    """Days after which an entry expires; 0: never."""
    most_bytes: int
    """Bytes of all entries; the oldest are deleted first."""

    def put(self, owner: str, kind: str, content: bytes) -> str:
        """Add an entry; gives its name."""
        name = token_hex(16)
        make_private(self.folder)
        (self.folder / f"{name}.{owner}.{kind}").write_bytes(content)
        return name

    def find(self, name: str, api_keys: ApiKeys, asking: str | None) -> Path | None:
        """The entry of that name if its owner still has a key; None if `asking` is another owner."""
        if not NAME.fullmatch(name):
            return None
        path = next(self.folder.glob(f"{name}.*"), None)
        if path is None or self._expired(path):
            return None
        owner = owner_of(path)
        return path if owner in api_keys and asking in (None, owner) else None

    def sweep(self) -> None:
        """Delete expired entries."""
        for path in self.folder.glob("*.*.*"):
            if self._expired(path):
                with suppress(OSError):
                    path.unlink()

    def drop_oldest(self) -> None:
        """Delete the oldest entries if all together are too large."""
        left = self.most_bytes
        with suppress(FileNotFoundError):  # where another process of ours tidies as well
            kept = [(path.stat(), path) for path in self.folder.glob("*.*.*")]
            for facts, path in sorted(kept, key=lambda each: each[0].st_mtime_ns, reverse=True):
                left -= facts.st_size
                if left < 0:
                    path.unlink()

    def _expired(self, path: Path) -> bool:
        try:
            age = time.time() - path.stat().st_mtime
        except FileNotFoundError:
            return True
        return bool(self.days) and age > self.days * DAY


def owner_of(entry: Path) -> str:
    """Whose entry it is."""
    return entry.name.split(".")[1]


def asking(scope: Scope, api_keys: ApiKeys) -> str | None:
    """Who asks for an entry, by the key that comes with the request; None where none does."""
    sent = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
    return (api_keys.owner(sent[0]) or "nobody") if sent else None
