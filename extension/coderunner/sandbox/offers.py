"""What a button may grant: the folder of a file, never one in which secrets lie."""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from tempfile import gettempdir

LONGEST = 160
"""Characters of a path that a person can read on a button."""

_SYSTEM = tuple(
    map(
        Path,
        (
            *("/proc", "/sys", "/dev", "/run", "/boot", "/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64"),
            *("/var/lib", "/var/log", "/var/run", "/var/spool", "/var/mail", "/var/backups", "/var/cache"),
            *("/nix", "/snap", "/private/etc", "/private/var", "/System", "/Library"),
        ),
    )
)
"""Places of the system: what lies there is nobody's data."""

_HOMES = ("/home", "/Users", "/var/home", "/export/home")
"""Where the homes of people are."""

_TEMPORARY = ("/tmp", "/var/tmp", gettempdir())  # noqa: S108 - nothing is made there
_WIDE = frozenset(
    map(Path, ("/", "/var", "/mnt", "/media", "/srv", "/opt", "/root", "/Volumes", *_HOMES, *_TEMPORARY))
)
"""Folders that hold the things of many: of these only single files are granted."""

_OPEN = (
    ".cache/huggingface/hub",
    ".cache/huggingface/datasets",
    ".cache/torch",
    ".keras",
    ".pyenv",
    ".local/bin",
)
"""What of the hidden part of a home is no secret: models and data sets that libraries keep."""

_PRIVATE = frozenset({"library", "snap", "appdata"})
"""Folders in a home that programs keep their own things in, passwords among them."""

_SECRETS = frozenset(
    {
        *(
            ".ssh",
            ".gnupg",
            ".aws",
            ".azure",
            ".kube",
            ".docker",
            ".password-store",
            ".mozilla",
            ".thunderbird",
        ),
        *(".config", ".pki", ".netrc", ".pgpass", ".git-credentials", ".npmrc", ".pypirc", ".vault-token"),
        *(".terraform.d", ".kaggle", ".gcloud", ".bash_history", ".zsh_history", ".python_history"),
    }
)
"""Files and folders that hold keys and passwords, wherever they lie."""

_SECRET_FILES = (
    *(
        "id_rsa*",
        "id_dsa*",
        "id_ecdsa*",
        "id_ed25519*",
        "*.pem",
        "*.key",
        "*.kdbx",
        "*.p12",
        "*.pfx",
        "*.jks",
    ),
    *("*.gpg", "*.ovpn", ".env", ".env.*", "*credential*", "*secret*", "*password*", "shadow*", "wallet.dat"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """What matters of this machine for what a button may grant."""

    home: Path
    ours: tuple[Path, ...] = ()
    """What belongs to CodeRunner: its data, its settings, other conversations."""
    system: tuple[Path, ...] = ()
    """What every sandbox reads, and what is executed outside of them: never to be written."""
    unseen: bool = False
    """Nothing may be looked at on the disk."""


def grantable(path: Path, place: Place, *, write: bool) -> Path | None:
    """What a button grants so that a path can be reached: its folder, or itself; None: nothing is offered.

    The path is absolute and without links. Looks at the disk, unless that is `unseen`.
    """
    if place.unseen:
        around = write and _holds(path, place.system)
        return path if not around and _harmless(path, place, write=write) else None
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        new = write and path.parent.is_dir()
        return _if_harmless(path.parent, place, write=write) if new else None
    except (OSError, ValueError):
        return None
    if stat.S_ISDIR(mode):
        return _if_harmless(path, place, write=write)
    if not stat.S_ISREG(mode) or not _harmless(path, place, write=write):
        return None
    return _if_harmless(path.parent, place, write=write) or path


def _if_harmless(folder: Path, place: Place, *, write: bool) -> Path | None:
    within = [place.home, *place.ours, *(place.system if write else ())]
    wide = folder in _WIDE or folder == place.home or _holds(folder, within)
    return folder if not wide and _harmless(folder, place, write=write) else None


def _harmless(path: Path, place: Place, *, write: bool) -> bool:
    within = [*_SYSTEM, *place.ours, *(place.system if write else ())]
    return not (
        any(path.is_relative_to(each) for each in within)
        or any(part.lower() in _SECRETS for part in path.parts)
        or any(fnmatch(path.name.lower(), each) for each in _SECRET_FILES)
        or _hidden(path, place.home)
        or len(str(path)) > LONGEST
    )


def _hidden(path: Path, home: Path) -> bool:
    """Whether it lies in the part of a home that programs keep their own things in."""
    for each in _homes(path, home):
        inner = path.relative_to(each)
        first = inner.parts[0].lower() if inner.parts else ""
        kept = any(inner.is_relative_to(known) for known in _OPEN)
        if (first.startswith(".") and not kept) or first in _PRIVATE:
            return True
    return False


def _homes(path: Path, home: Path) -> Iterable[Path]:
    """The homes, this person's and others', that a path lies in."""
    known = {
        home,
        Path("/root"),
        *(Path(each, path.parts[len(Path(each).parts)]) for each in _HOMES if _below(path, each)),
    }
    return (each for each in known if path.is_relative_to(each))


def _below(path: Path, folder: str) -> bool:
    return path.is_relative_to(folder) and path != Path(folder)


def _holds(folder: Path, places: Iterable[Path]) -> bool:
    return any(each.is_relative_to(folder) for each in places)


def readable(path: Path) -> bool:
    """Whether the person could read it without the sandbox, so that it is the sandbox which keeps it away."""
    return os.access(path, os.R_OK | os.X_OK if path.is_dir() else os.R_OK)


def writable(path: Path) -> bool:
    """The same for writing: the file, or a new one in its folder."""
    return os.access(path if path.exists() else path.parent, os.W_OK)
