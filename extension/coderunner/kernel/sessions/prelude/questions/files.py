"""The files in the folder that the kernel was started in: for who reaches them in no other way.

What a step does is what the kernel's program could do itself; names are checked by who asks.
"""

import base64
import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coderunner.kernel.sessions.prelude.control import question

START = Path.cwd()
PATIENCE = 0.5
"""Seconds for a listing: interrupts wait behind it."""
LARGEST = 2 * 1024 * 1024
"""Characters of all paths in it."""
DEEPEST = 16
TEMPORARY = ".coderunner-upload-"
NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
READ = os.O_RDONLY | NOFOLLOW
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NOFOLLOW
MORE = os.O_WRONLY | os.O_CREAT | os.O_APPEND | NOFOLLOW


@question("files")
def files(do: str, **arguments: Any) -> dict[str, Any]:
    """One step; what the system refuses is said by its name: `{"failed": "ENOENT", "why": …}`."""
    try:
        return STEPS[do](**arguments)
    except OSError as error:
        return {"failed": errno.errorcode.get(error.errno or 0, ""), "why": error.strerror or ""}


def _inside(path: str, *, make: bool = False) -> Path:
    """The whole path of what is in the folder, on the way to which no link lies."""
    whole = START.joinpath(*path.split("/"))
    if make:
        whole.parent.mkdir(parents=True, exist_ok=True)
    if whole.parent.resolve() != START.resolve().joinpath(*path.split("/")).parent:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    return whole


def _plain(path: str) -> Path:
    """The whole path of a plain file."""
    whole = _inside(path)
    if not stat.S_ISREG(whole.lstat().st_mode):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    return whole


def _described(whole: Path) -> dict[str, Any]:
    its = whole.lstat()
    return {"size": its.st_size, "changed": its.st_mtime_ns}


def _list(most: int) -> dict[str, Any]:
    """Plain files that are not hidden, within bounds; how many are left out, and for their names."""
    found: list[list[Any]] = []
    more = unnamed = length = 0
    for path, entry in _entries(time.monotonic() + PATIENCE):
        length += len(path)
        if entry is None or len(found) >= most or length > LARGEST:
            more += 1
            continue
        try:
            path.encode()
            its = entry.stat(follow_symlinks=False)
        except ValueError:
            unnamed += 1
        except OSError:
            continue  # it is gone already
        else:
            found.append([path, its.st_size, its.st_mtime_ns])
    return {"files": found, "more": more, "unnamed": unnamed}


def _entries(end: float) -> Iterator[tuple[str, "os.DirEntry[str] | None"]]:
    """The files by their paths; no entry where a folder is not looked into."""
    waiting = [("", START, 0)]
    while waiting:
        prefix, folder, depth = waiting.pop()
        if depth > DEEPEST or time.monotonic() > end:
            yield prefix, None
            continue
        try:
            entries = os.scandir(folder)
        except OSError:
            continue
        with entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name == "__pycache__":
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((f"{prefix}{entry.name}/", folder / entry.name, depth + 1))
                elif entry.is_file(follow_symlinks=False):
                    yield prefix + entry.name, entry
                if time.monotonic() > end:
                    break


def _about(path: str) -> dict[str, Any]:
    return _described(_plain(path))


def _read(path: str, start: int, most: int) -> dict[str, Any]:
    with os.fdopen(os.open(_plain(path), READ), "rb") as file:
        file.seek(start)
        return {"data": base64.b64encode(file.read(most)).decode()}


def _append(name: str, data: str) -> dict[str, Any]:
    """Write on in a file that has no name of its own until it is whole."""
    with os.fdopen(os.open(START / (TEMPORARY + name), MORE, 0o600), "ab") as file:
        file.write(base64.b64decode(data))
    return {}


def _keep(name: str, path: str) -> dict[str, Any]:
    return _moved(START / (TEMPORARY + name), _inside(path, make=True))


def _drop(name: str) -> dict[str, Any]:
    (START / (TEMPORARY + name)).unlink()
    return {}


def _rename(old: str, new: str) -> dict[str, Any]:
    return _moved(_plain(old), _inside(new, make=True))


def _moved(source: Path, target: Path) -> dict[str, Any]:
    """Move a file to where none is."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
        # A file system without links: the name is taken by an empty file, which the whole one replaces.
        os.close(os.open(target, NEW, 0o600))
        source.replace(target)
    else:
        source.unlink()
    return _described(target)


def _delete(path: str) -> dict[str, Any]:
    _plain(path).unlink()
    return {}


STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    "where": lambda: {"folder": str(START), "changed": START.stat().st_mtime_ns},
    "list": _list,
    "about": _about,
    "read": _read,
    "append": _append,
    "keep": _keep,
    "drop": _drop,
    "rename": _rename,
    "delete": _delete,
}
