"""What people have granted to single conversations, kept in a file that only its owner can read."""

import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import time_ns

from coderunner.private_folders import make_private, write_private
from coderunner.sandbox.policy import Grants

log = logging.getLogger(__name__)

MOST = 5_000
"""Conversations whose grants are kept; beyond that, those of the one that was granted something longest ago
are dropped."""
MOST_EACH = 200
"""Grants of one conversation: nobody reads a longer list."""

NOTHING = Grants()


class Granted:
    """Grants by conversation, for this process and, with a `path`, for later ones. Thread-safe.

    The file is JSON, written whole or not at all, and shared with other processes. A file that cannot be read
    is set aside under another name and told in the log; where it cannot be written, grants end with the
    process, which is told, too.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._all: dict[str, Grants] = {}
        self._followers: list[Callable[[str], None]] = []
        self._stamp: object = None
        """Tells the version of the file that was read last."""

    def of(self, conversation: str) -> Grants:
        """What a conversation may reach because a person granted it."""
        with self._lock:
            self._read()
            return self._all.get(conversation, NOTHING)

    def add(self, conversation: str, grants: Grants) -> bool:
        """Grant more; False, and nothing is granted, where a conversation has too many grants."""
        return self._change(conversation, lambda before: before | grants)

    def remove(self, conversation: str, grants: Grants) -> None:
        """Take grants back; what was not granted is none."""

        def without(before: Grants) -> Grants:
            return Grants(before.read - grants.read, before.write - grants.write, before.hosts - grants.hosts)

        self._change(conversation, without)

    def forget(self, conversation: str) -> None:
        """Take all grants of a conversation back: it is deleted."""
        self._change(conversation, lambda _before: NOTHING)

    def follow(self, hear: Callable[[str], None]) -> None:
        """Call `hear` with each conversation whose grants this process changes, in any thread."""
        self._followers.append(hear)

    def _change(self, conversation: str, change: Callable[[Grants], Grants]) -> bool:
        if not self._changed(conversation, change):
            return False
        for hear in self._followers:
            hear(conversation)
        return True

    def _changed(self, conversation: str, change: Callable[[Grants], Grants]) -> bool:
        with self._lock, self._exclusive():
            self._read()
            before = self._all.get(conversation, NOTHING)
            after = change(before)
            if _count(after) > max(MOST_EACH, _count(before)):
                return False
            if after != before:
                self._put(conversation, after)
            return True

    def _put(self, conversation: str, grants: Grants) -> None:
        self._all.pop(conversation, None)
        if grants:
            self._all[conversation] = grants  # at the end: the one that was granted something last
        while len(self._all) > MOST:
            oldest = next(iter(self._all))
            del self._all[oldest]
            log.info("More than %s chats have grants: those of %s were dropped", f"{MOST:,}", oldest)
        self._write()

    def _read(self) -> None:
        """Take the file as it is now, if it has changed."""
        if self._path is None:
            return
        try:
            stamp = _stamp(self._path)
            if stamp == self._stamp:
                return
            self._all = _decoded(self._path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            if self._stamp is not None:  # somebody has removed it
                self._all, self._stamp = {}, None
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as failure:
            self._set_aside(self._path, failure)
        else:
            self._stamp = stamp

    def _set_aside(self, path: Path, failure: Exception) -> None:
        reason = failure.strerror if isinstance(failure, OSError) else "it is damaged"
        aside = path.with_name(f"{path.name}.{time_ns()}.unreadable")
        try:
            path.replace(aside)
        except OSError as refusal:
            log.warning(
                "%s (%s) cannot be moved (%s): new grants end with this process", path, reason, refusal
            )
            self._path = None
            return
        log.warning("%s cannot be read (%s): no chat has grants now, and the file is %s", path, reason, aside)

    def _write(self) -> None:
        if self._path is None:
            return
        try:
            write_private(self._path, json.dumps(_encoded(self._all), indent=1))
            self._stamp = _stamp(self._path)
        except OSError as failure:
            log.warning("What was granted cannot be saved in %s: %s", self._path, failure.strerror)

    @contextmanager
    def _exclusive(self) -> Generator[None]:
        """Keep other processes from changing the file meanwhile, where the system can."""
        if self._path is None or sys.platform == "win32":
            yield
            return
        import fcntl

        try:
            make_private(self._path.parent)
            lock = os.open(self._path.with_name(f".{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:  # nothing can be written either, which is told then
            yield
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)  # held for milliseconds
            yield
        finally:
            os.close(lock)


def _count(grants: Grants) -> int:
    return len(grants.read) + len(grants.write) + len(grants.hosts)


def _stamp(path: Path) -> object:
    now = path.stat()
    return now.st_ino, now.st_mtime_ns, now.st_size


def _encoded(every: Mapping[str, Grants]) -> object:
    return {
        "granted": {
            conversation: {
                "read": sorted(map(str, grants.read)),
                "write": sorted(map(str, grants.write)),
                "network": sorted(grants.hosts),
            }
            for conversation, grants in every.items()
        }
    }


def _decoded(content: bytes) -> dict[str, Grants]:
    """Raises ValueError, TypeError or KeyError where it is not what we write."""
    found = json.loads(content)
    if not isinstance(found, dict) or not isinstance(found["granted"], dict):
        raise TypeError
    return {
        str(conversation): Grants(_paths(each["read"]), _paths(each["write"]), _names(each["network"]))
        for conversation, each in found["granted"].items()
    }


def _paths(values: object) -> frozenset[Path]:
    paths = frozenset(map(Path, _names(values)))
    if not all(path.is_absolute() for path in paths):
        raise ValueError
    return paths


def _names(values: object) -> frozenset[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError
    return frozenset(values)
