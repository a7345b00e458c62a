"""The folder of a conversation's packages: changed whole, or not at all.

Code may write there, so what it puts in our way is never followed: what is new is made in a folder of ours,
and takes the place of the old by renaming, which follows no link.
"""

import os
import shutil
import uuid
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from coderunner.packages.lock import Pin
from coderunner.packages.requirements import canonical
from coderunner.private_folders import make_private

FOLDER = ".packages"
"""Within the folder of the conversation."""
STAGING = ".installing-"
"""How the names of our own folders begin, beside those of the conversations."""
NEW, OLD = "new", "old"
MOST_FILES = 20_000
"""Files of a package that are looked at."""


@contextmanager
def staging(root: Path) -> Generator[Path]:
    """A private folder on the disk of the conversations' folders, for one installation. Raises OSError."""
    _tidy(root)
    own = root / f"{STAGING}{os.getpid()}-{uuid.uuid4().hex[:12]}"
    make_private(own)
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _tidy(root: Path) -> None:
    """Remove what processes have left that crashed."""
    for left in root.glob(f"{STAGING}*"):
        owner = left.name.removeprefix(STAGING).partition("-")[0]
        if owner.isdecimal() and not _runs(int(owner)):
            shutil.rmtree(left, ignore_errors=True)


def _runs(process: int) -> bool:
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def exchange(own: Path, folder: Path, *, ours: frozenset[str]) -> None:
    """Put `own / NEW` in the place of a conversation's packages; what pip put there itself is kept.

    `ours`: the names in the old folder that came from us, and go. Raises OSError, and then all is as before.
    """
    with _opened(folder) as there, _opened(own) as here:
        had = _move(_At(folder, there), FOLDER, _At(own, here), OLD)
        try:
            if not _move(_At(own, here), NEW, _At(folder, there), FOLDER):
                raise FileNotFoundError(NEW)
        except OSError:
            if had:
                _move(_At(own, here), OLD, _At(folder, there), FOLDER)
            raise
        if had:
            with suppress(OSError):
                _keep(own / OLD, folder / FOLDER, there, ours)


def modules_of(folder: Path, pins: Iterable[Pin]) -> tuple[str, ...]:
    """The first names under which code imports these packages, by what their wheels say of their files."""
    keys = {(pin.key, pin.version) for pin in pins}
    found: dict[str, None] = {}
    for record in sorted(folder.glob("*.dist-info/RECORD")):
        name, _, version = record.parent.name.removesuffix(".dist-info").partition("-")
        if (canonical(name), version) not in keys:
            continue
        with suppress(OSError, UnicodeDecodeError), record.open(encoding="utf-8") as lines:
            for line in islice(lines, MOST_FILES):
                first, _, rest = line.partition(",")[0].partition("/")
                if module := first if rest else first.partition(".")[0]:
                    found.update({module: None} if module.isidentifier() else {})
    return tuple(found)


def _keep(old: Path, new: Path, there: int | None, ours: frozenset[str]) -> None:
    """Move what is not ours over, where nothing of ours has that name."""
    with _opened(old) as from_, _opened(new, there) as to:
        kept = set(os.listdir(old)) - ours - set(os.listdir(new if to is None else to))  # noqa: PTH208
        for name in kept:
            with suppress(OSError):
                _move(_At(old, from_), name, _At(new, to), name)


@dataclass(frozen=True, slots=True)
class _At:
    """A folder by its path, and held open where the system can do that."""

    path: Path
    handle: int | None


def _move(from_: _At, name: str, to: _At, new: str) -> bool:
    """Rename what bears a name, whatever it is; False where nothing does."""
    try:
        if from_.handle is None or to.handle is None:
            (from_.path / name).rename(to.path / new)
        else:
            os.rename(name, new, src_dir_fd=from_.handle, dst_dir_fd=to.handle)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def _opened(folder: Path, parent: int | None = None) -> Generator[int | None]:
    """A folder, held open: a name in it cannot come to lead elsewhere. None on Windows, which has no such."""
    if os.rename not in os.supports_dir_fd:
        yield None
        return
    name = folder if parent is None else folder.name
    handle = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    try:
        yield handle
    finally:
        os.close(handle)
