"""What has changed in a folder between two looks at it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from coderunner.outputs import MadeFile
from coderunner.text.surrogates import whole

MOST = 20
"""Files that are told one by one; nobody reads more, and of the others the number is told."""

Stamp = tuple[int, int]
"""A file's size in bytes, and when its content was changed, in nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Stamps:
    """The files of a folder, by their paths in it."""

    files: Mapping[str, Stamp] = field(default_factory=dict)
    folders: Mapping[str, bool] = field(default_factory=lambda: {"": True})
    """The folders that were seen, by their paths (`""`: the folder itself): whether all in each was read."""


@dataclass(frozen=True, slots=True)
class Made:
    """The files that are new or have changed."""

    files: tuple[MadeFile, ...] = ()
    more: int = 0
    """How many there are besides."""


NOTHING = Made()


def made(before: Stamps, after: Stamps, *, most: int = MOST) -> Made:
    """What `after` has that `before` did not have, or not so; what was not read then is left out.

    Those that lie in no folder come first, then the oldest: mostly the order in which they were written.
    """
    found = [
        MadeFile(path, size, changed, new=path not in before.files)
        for path, (size, changed) in after.files.items()
        if before.files.get(path) != (size, changed) and (path in before.files or _was_read(before, path))
    ]
    found.sort(key=lambda file: (file.path.count("/"), file.changed, file.path))
    return Made(tuple(found[:most]), max(len(found) - most, 0))


def _was_read(stamps: Stamps, path: str) -> bool:
    """Whether a file would have been seen there; a folder that was not there had nothing in it."""
    while path:
        path = path.rpartition("/")[0]
        if path in stamps.folders:
            return stamps.folders[path]
    return False


def hidden(name: str) -> bool:
    """Whether a file or folder is nobody's work: what begins with a dot, and what Python keeps for itself.

    So is a name of any bytes, which cannot be written in an address.
    """
    return name.startswith(".") or name == "__pycache__" or not (name.isascii() or whole(name) == name)
