"""What a button may grant: the folder of a file, never one in which secrets lie."""

import os
import re
import stat
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from tempfile import gettempdir

from coderunner.sandbox.machine.secret_names import is_secret
from coderunner.sandbox.policy import Grants, Policy

LONGEST = 160
"""Characters of a path that a person can read on a button."""

SYSTEM = tuple(
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
_KERNELS = re.compile(r"cr-|coderunner-")
"""How the names of kernels' own folders begin there, in which their sockets and keys are."""
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
"""What of the hidden part of a home is no secret: models and data sets that libraries keep, and programs."""

RUN_LATER = frozenset(
    {
        *(".git", ".hg", ".svn", ".husky", ".githooks", ".vscode", ".idea", ".devcontainer", ".envrc"),
        *(".venv", "venv", ".direnv", "site-packages", "node_modules"),
        *(".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".bash_aliases", ".profile", ".inputrc"),
        *(".zshrc", ".zshenv", ".zprofile", ".zlogin", ".zlogout", ".kshrc", ".cshrc", ".tcshrc", ".login"),
        *(".gitconfig", ".hgrc", ".vimrc", ".vim", ".emacs", ".emacs.d", ".tmux.conf", ".pythonrc", ".pdbrc"),
        *(".xprofile", ".xinitrc", ".xsession", ".xsessionrc", ".pam_environment", "launchagents"),
        *(".bin", ".cargo", ".rustup", ".rbenv", ".nvm", ".deno", ".bun", ".asdf", ".sdkman", ".jupyter"),
        *(".ipython", ".local"),
    }
)
"""Files and folders from which a person's own shell, editor and version control run programs unasked."""

PROGRAMS = ("bin", ".local/bin", ".pyenv")
"""Where programs lie in a home."""
MOST_SEEN = 10_000
"""Entries of a granted folder that are looked at, the nearest first."""
MOST_FOUND = 300
"""Of those, the ones that are kept apart."""

_HISTORY = frozenset({".git", ".hg", ".svn"})
"""Where version control keeps what was ever in a folder, and the passwords of its servers."""
_CODE = (".py", ".pyi", ".pyc", ".so", ".pyd")
"""How the names of modules end."""

_PRIVATE = frozenset({"library", "snap", "appdata"})
"""Folders in a home that programs keep their own things in, passwords among them."""


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
        new = write and os.path.isdir(path.parent) and _harmless(path, place, write=write)
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
    wide = folder in _WIDE or is_home(folder, place.home) or _holds(folder, within)
    return folder if not wide and _harmless(folder, place, write=write) else None


def _harmless(path: Path, place: Place, *, write: bool) -> bool:
    within = [*SYSTEM, *place.ours, *(place.system if write else ())]
    return not (
        any(path.is_relative_to(each) for each in within)
        or bears_secret(path)
        or (write and run_later(path, place.home))
        or of_kernels(path)
        or _hidden(path, place.home)
        or len(str(path)) > LONGEST
    )


def run_later(path: Path, home: Path) -> bool:
    """Whether the person runs, sooner or later, what is written there."""
    return any(part.lower() in RUN_LATER for part in path.parts) or any(
        path.is_relative_to(each / name) for each in _homes(path, home) for name in PROGRAMS
    )


def of_kernels(path: Path) -> bool:
    """Whether it lies in a kernel's own folder, where its sockets and keys are."""
    return any(_below(path, each) and _KERNELS.match(_first(path, each)) for each in _TEMPORARY)


def bears_secret(path: Path) -> bool:
    """Whether a path bears the name of a secret, or lies in a folder that does."""
    *folders, last = path.parts or ("",)
    return is_secret(last) or any(is_secret(each, folder=True) for each in folders)


@dataclass(frozen=True, slots=True)
class Apart:
    """What of granted folders is not meant by the grant."""

    secret: tuple[Path, ...] = ()
    """Not to be read: it bears the name of a secret."""
    run_later: tuple[Path, ...] = ()
    """Not to be written: others run programs from it."""


def apart(policy: Policy, granted: Iterable[Path], *, secrets: bool = True) -> Apart:
    """What is kept apart in what is granted beside a policy. Looks at the disk, at `MOST_SEEN` entries.

    Who names a secret itself in a setting, or what is in it, means it. Without `secrets` they are folders and
    files like others.
    """
    own = (policy.folder, policy.sockets, policy.temporary)
    meant = {*policy.grants.read, *policy.grants.write, *granted}
    beyond = set(map(str, (*own, *meant, *policy.system, *policy.guarded, *policy.hidden)))
    # Strings: to make and to compare paths takes ten times as long as to look at the disk.
    waiting = deque(
        str(each)
        for each in sorted(meant)
        if not (secrets and bears_secret(each)) and not _in_any(each, (*own, *policy.hidden))
    )
    seen = 0
    secret: list[str] = []
    run_later: list[str] = []
    while waiting and seen < MOST_SEEN and len(secret) + len(run_later) < MOST_FOUND:
        folder = waiting.popleft()
        for name, is_folder in _entries(folder, MOST_SEEN - seen):
            seen += 1
            path = f"{folder.rstrip('/')}/{name}"
            if path in beyond:
                continue
            if secrets and is_secret(name, folder=is_folder):
                secret.append(path)
            elif name.lower() in RUN_LATER or (is_folder and os.access(f"{path}/pyvenv.cfg", os.F_OK)):
                run_later.append(path)
            elif is_folder:
                waiting.append(path)
    return Apart(tuple(map(Path, secret[:MOST_FOUND])), tuple(map(Path, run_later[:MOST_FOUND])))


def run_later_in_own(policy: Policy) -> tuple[Path, ...]:
    """What others run programs from in a kernel's own folder that is a person's. Looks at the disk."""
    elsewhere = replace(policy, folder=policy.sockets, grants=Grants())
    return apart(elsewhere, [policy.folder], secrets=False).run_later


def secrets_of_code(policy: Policy) -> tuple[Path, ...]:
    """What in packages among a person's own files is no code: secrets, and the history of a repository.

    Looks at the disk, at `MOST_SEEN` entries. A module may bear the name of a secret.
    """
    meant = set(map(str, (*policy.grants.read, *policy.grants.write)))
    waiting = deque(map(str, dict.fromkeys(policy.imports)))
    found: list[str] = []
    seen = 0
    while waiting and seen < MOST_SEEN and len(found) < MOST_FOUND:
        folder = waiting.popleft()
        for name, is_folder in _entries(folder, MOST_SEEN - seen):
            seen += 1
            if name.endswith(_CODE):
                continue
            path = f"{folder}/{name}"
            closed = name in _HISTORY or is_secret(name, folder=is_folder)
            if closed and path not in meant and not os.access(f"{path}/__init__.py", os.F_OK):
                found.append(path)
            elif is_folder and name != "__pycache__":
                waiting.append(path)
    return tuple(map(Path, found))


def _in_any(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(each) for each in folders)


def _entries(folder: str | Path, most: int) -> list[tuple[str, bool]]:
    """Names of what is in a folder, and whether they are folders; links are neither followed nor told."""
    try:
        with os.scandir(folder) as entries:
            found = [
                (each.name, each.is_dir(follow_symlinks=False))
                for each in islice(entries, most)
                if not each.is_symlink()
            ]
    except OSError:
        return []
    return sorted(found)


def _hidden(path: Path, home: Path) -> bool:
    """Whether it lies in the part of a home that programs keep their own things in."""
    for each in _homes(path, home):
        inner = path.relative_to(each)
        first = inner.parts[0].lower() if inner.parts else ""
        kept = any(inner.is_relative_to(known) for known in _OPEN)
        if (first.startswith(".") and not kept) or first in _PRIVATE:
            return True
    return False


def is_home(path: Path, home: Path) -> bool:
    """Whether it is a whole home: this person's, or another one's, root's among them."""
    return path in _homes(path, home)


def holds_homes(path: Path) -> bool:
    """Whether the homes of people are in it."""
    return any(Path(each).is_relative_to(path) for each in _HOMES)


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


def _first(path: Path, folder: str) -> str:
    return path.relative_to(folder).parts[0]


def _holds(folder: Path, places: Iterable[Path]) -> bool:
    return any(each.is_relative_to(folder) for each in places)


def readable(path: Path) -> bool:
    """Whether the person could read it without the sandbox, so that it is the sandbox which keeps it away."""
    return os.access(path, os.R_OK | os.X_OK if os.path.isdir(path) else os.R_OK)


def writable(path: Path) -> bool:
    """The same for writing: the file, or a new one in its folder."""
    return os.access(path if os.path.exists(path) else path.parent, os.W_OK)
