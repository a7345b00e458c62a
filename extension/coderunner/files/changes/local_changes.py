"""Which files of a folder on this machine change between two moments."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from coderunner.files.changes import local_stamps
from coderunner.files.changes.comparison import NOTHING, Made, Stamps, made
from coderunner.files.changes.folder_events import FolderEvents


class LocalChanges:
    """Compares a folder with what it was. For one thread at a time."""

    def __init__(self, folder: Path, events: Callable[[], FolderEvents] = FolderEvents) -> None:
        """`events` raises OSError where there are none; then the whole folder is read each time."""
        self._folder = folder
        self._open_events: Callable[[], FolderEvents] | None = events
        self._events: FolderEvents | None = None
        self._known: Stamps | None = None

    @property
    def still(self) -> bool:
        """Whether it is known that nothing has changed; takes a microsecond."""
        return self._known is not None and self._events is not None and not self._events.pending

    def settle(self) -> None:
        """Take the folder as it is now for what it was."""
        self._known = self._now()

    def take(self) -> Made:
        """What has changed since the last call of either."""
        before, self._known = self._known, self._now()
        # Nobody knows what there was before the first look.
        return NOTHING if before is None else made(before, self._known)

    def close(self) -> None:
        """Forget what it was."""
        self._known = None
        if self._events is not None:
            self._events.close()
            self._events = None

    def _now(self) -> Stamps:
        if self._events is not None and self._known is not None:
            with suppress(OSError):
                names = self._events.take()
                if names is not None:
                    return local_stamps.updated(self._folder, self._known, names)
        return self._read()

    def _read(self) -> Stamps:
        """Read the folder as a whole, and hear of its changes from now on."""
        if self._events is not None:
            self._events.close()
            self._events = None
        if self._open_events is not None:
            try:
                return self._read_and_hear(self._open_events())
            except OSError:
                self._open_events = None  # it costs a reading each time to find that out
        return local_stamps.read(self._folder)

    def _read_and_hear(self, events: FolderEvents) -> Stamps:
        try:
            stamps = local_stamps.read(self._folder, events)
        except BaseException:
            events.close()
            raise
        if events.watched:
            self._events = events
        else:  # the folder is not there yet
            events.close()
        return stamps
