"""The files of a folder on this machine as they are now: names, sizes, times; no content.

No link is followed, wherever it stands in a path and however often the folder changes meanwhile: code that
may not look elsewhere is not told of it here. How much is read is bounded.
"""

import os
import stat
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from coderunner.files.changes.comparison import Stamp, Stamps, hidden
from coderunner.files.changes.folder_events import FolderEvents

MOST = 20_000
"""Files and folders that are read; in a person's own folder there may be millions."""
PATIENCE = 0.25
"""Seconds after which no further folder is begun."""
_BY_HANDLE = os.scandir in os.supports_fd and os.open in os.supports_dir_fd
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
_NO_LINK = _FOLDER | getattr(os, "O_NOFOLLOW", 0)


def read(folder: Path, events: FolderEvents | None = None, *, most: int = MOST) -> Stamps:
    """Read a folder, those at the top first; one that is not there has no files.

    `events` hears from now on of what changes. Raises OSError where it cannot hear of all that is read.
    """
    files: dict[str, Stamp] = {}
    folders: dict[str, bool] = {}
    until, left = time.monotonic() + PATIENCE, deque([""])
    while left:
        name = left.popleft()
        room = most - len(files) - len(folders) - len(left)
        folders[name] = False
        if room <= 0 or time.monotonic() > until:
            continue
        try:
            with _opened(folder, name) as place:
                if events is not None and isinstance(place, int):
                    events.watch(place, name)
                above = f"{name}/" if name else ""
                folders[name] = _read_one(place, above, room, files, left)
        except FileNotFoundError:
            folders[name] = True
        except PermissionError:
            pass  # nobody else's files
        except OSError:
            if events is not None:
                raise
    return Stamps(files, folders)


def _read_one(place: int | str, above: str, room: int, files: dict[str, Stamp], left: deque[str]) -> bool:
    """Read the files of one folder, and note the folders in it; False where that is not all of them."""
    with os.scandir(place) as entries:
        for entry in islice(entries, room):
            name = entry.name
            if hidden(name):
                continue
            if entry.is_file(follow_symlinks=False):
                with suppress(FileNotFoundError):
                    about = entry.stat(follow_symlinks=False)
                    files[above + name] = about.st_size, about.st_mtime_ns
            elif entry.is_dir(follow_symlinks=False):
                left.append(above + name)
        return next(entries, None) is None


def updated(folder: Path, known: Stamps, names: Iterable[str]) -> Stamps:
    """What was read of a folder, with some of its files as they are now."""
    files = dict(known.files)
    for name in names:
        files.pop(name, None)
        above, _, last = name.rpartition("/")
        with suppress(OSError), _opened(folder, above) as place:
            about = _about(place, last)
            if stat.S_ISREG(about.st_mode):
                files[name] = about.st_size, about.st_mtime_ns
    return Stamps(files, known.folders)


def _about(place: int | str, name: str) -> os.stat_result:
    if isinstance(place, int):
        return os.stat(name, dir_fd=place, follow_symlinks=False)
    return os.lstat(os.path.join(place, name))  # noqa: PTH118 - as what is read by handle


@contextmanager
def _opened(folder: Path, name: str) -> Iterator[int | str]:
    """A folder within a folder, as a handle where the system has them; raises OSError."""
    if not _BY_HANDLE:
        place = folder / name if name else folder
        if os.path.realpath(place) != os.path.join(os.path.realpath(folder), *filter(None, name.split("/"))):  # noqa: PTH118
            raise FileNotFoundError(name)
        yield os.fspath(place)
        return
    handle = os.open(folder, _FOLDER)
    try:
        for part in filter(None, name.split("/")):
            inner = os.open(part, _NO_LINK, dir_fd=handle)
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)
