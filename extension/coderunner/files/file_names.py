"""Names that files of a chat may have: on any system, and with nothing in them that misleads. Pure."""

import re
import unicodedata
from collections.abc import Iterator

from coderunner.files.chat_folder import NotAName

LONGEST = 200
"""Bytes of a name: file systems take 255, and a number or an ending of ours is added."""
DEEPEST = 16
"""Folders that a file may lie in."""
UNLISTED = "__pycache__"
"""A folder that programs make for themselves, so that no listing shows what is in it."""
# Windows: no file has such a name, whatever its ending; it is a device.
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE)
_RESERVED = frozenset('<>:"|?*\\/')
_ENDING = re.compile(r"((?:\.tar)?\.[^. ]{1,12})$", re.IGNORECASE)
NOT_IN_FOLDER = "{name} leads out of this chat's folder; give a file a plain name."
NO_NAME = "A file needs a name."
OTHER_NAME = "{name} cannot be the name of a file on every system; {better} can."
TOO_DEEP = "{name} lies in too many folders; at most {most} can be made."


def file_name(path: str) -> str:
    """The path under which a file that comes with this one is kept; raises NotAName.

    What some system does not take, what cannot be seen and what hides a file is replaced or left out. A path
    that leads elsewhere is no misspelt name, so it is refused.
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    shown = _shown(path)
    if path.startswith("/") or ".." in parts:
        raise NotAName(NOT_IN_FOLDER.format(name=shown))
    if len(parts) > DEEPEST + 1:
        raise NotAName(TOO_DEEP.format(name=shown, most=DEEPEST))
    if not parts or path.endswith("/"):
        raise NotAName(NO_NAME)
    return "/".join(map(_part, parts))


def chosen_name(path: str) -> str:
    """The same for a name that somebody has typed: what would have to be changed is refused."""
    better = file_name(path)
    if better != path:
        raise NotAName(OTHER_NAME.format(name=_shown(path), better=better))
    return path


def numbered(path: str) -> Iterator[str]:
    """The path, and others that are nearly the same: `a (2).csv`, `a (3).csv`."""
    yield path
    folder, slash, name = path.rpartition("/")
    ending = _ending(name)
    stem = name.removesuffix(ending) if ending else name
    for number in range(2, 10_000):
        yield f"{folder}{slash}{stem} ({number}){ending}"


def hidden(name: str) -> bool:
    """Whether a name is one that no listing shows."""
    return name.startswith(".")


def _part(part: str) -> str:
    plain = "".join("_" if _misleads(each) else each for each in unicodedata.normalize("NFC", part))
    name = _cut(plain.strip().lstrip(". ").rstrip(". ")) or "file"
    if name == UNLISTED:
        return name.strip("_")
    return f"_{name}" if _DEVICE.fullmatch(name) else name


def _misleads(character: str) -> bool:
    """Whether it is one that no system takes, or that is not seen, or turns around what stands beside it."""
    return character in _RESERVED or not (character.isprintable() or character == "\u200d")


def _cut(name: str) -> str:
    """The name, cut before its ending where it is too long."""
    if len(name.encode()) <= LONGEST:
        return name
    ending = _ending(name)
    stem = name.removesuffix(ending).encode()[: LONGEST - len(ending.encode())]
    return stem.decode(errors="ignore").rstrip(". ") + ending


def _ending(name: str) -> str:
    found = _ENDING.search(name, 1)
    return found[0] if found else ""


def _shown(path: str) -> str:
    """A path as a sentence may quote it."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in path[:200])
