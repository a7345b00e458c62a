"""The path of a folder or file as a person types it."""

import os
import re
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir

from coderunner.sandbox import offers
from coderunner.sandbox.grant_words import short
from coderunner.sandbox.policy import Grants, Policy
from coderunner.sandbox.typed.not_grantable import NotGrantable, cut

LONGEST = 4_096
"""Characters of a path: Linux takes no longer one."""

_APART = tuple(map(Path, ("/proc", "/sys", "/dev", "/run", "/boot")))
"""What a sandbox has of its own, or needs to be one."""
_TEMPORARY = tuple(map(Path, ("/tmp", "/var/tmp", gettempdir())))  # noqa: S108 - nothing is made there
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SEVERAL = re.compile(r"[,;\s]\s*(?:~?/)")


def to_read(text: str, policy: Policy, ours: Sequence[Path]) -> Path:
    """The folder or file that is to be read, complete and without links. Raises NotGrantable."""
    path, named = _existing(text, policy)
    if policy.may_read(path):
        raise NotGrantable(f"Code in this chat may read {named} already.")
    _check_apart(path, named, ours, "sandbox_read")
    after = replace(policy, grants=policy.grants | Grants(read=frozenset({path})))
    if not after.may_read(path):
        raise NotGrantable(f"{named} is kept from code, whatever is allowed.")
    return path


def to_write(text: str, policy: Policy, ours: Sequence[Path]) -> Path:
    """The same to be written, too."""
    path, named = _existing(text, policy)
    if policy.may_write(path):
        raise NotGrantable(f"Code in this chat may read and write {named} already.")
    _check_apart(path, named, ours, "sandbox_write")
    if not offers.writable(path):
        raise NotGrantable(f"You cannot write to {named} yourself.")
    if any(each.is_relative_to(path) for each in offers.SYSTEM):
        raise NotGrantable(f"{named} holds parts of the system, so code never writes there.")
    after = replace(policy, grants=policy.grants | Grants(write=frozenset({path})))
    run_later = offers.run_later(path, policy.home) or _in_any(path, offers.SYSTEM)
    if run_later or not after.may_write(path):
        raise NotGrantable(f"Programs outside the sandbox are run from {named}, so code never writes there.")
    return path


def _existing(text: str, policy: Policy) -> tuple[Path, str]:
    """What is meant, which is there, and how it is called."""
    path = _path(text, policy.home)
    named = cut(short(path, policy.home))
    _check_size(path, named, policy)
    _check_there(path, named, folder=text.endswith("/"))
    return path, named


def written(text: str, home: Path) -> Path:
    """The path as it is typed, with its links but for that of the home. Raises NotGrantable."""
    path = Path(os.path.normpath(_complete(text.strip(), home)))
    own = Path.home()
    return home / path.relative_to(own) if path.is_relative_to(own) else path


def _path(text: str, home: Path) -> Path:
    """The complete path without links."""
    whole = _complete(text, home)
    if not os.path.lexists(whole) and _names_several(text, whole):
        raise NotGrantable("Enter one path at a time.")
    return Path(os.path.realpath(whole))


def _complete(text: str, home: Path) -> Path:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1].strip()
    if not text:
        raise NotGrantable("Enter the path of a folder or file, such as ~/data.")
    if not text.isprintable() or len(text) > LONGEST:
        raise NotGrantable("That path is too long, or has characters that cannot be shown.")
    if _SCHEME.match(text):
        raise NotGrantable("Enter a path such as ~/data, not an address.")
    whole = Path(f"{home}{text[1:]}") if text == "~" or text.startswith("~/") else _expanded(Path(text))
    if not whole.is_absolute():
        raise NotGrantable(f"“{cut(text)}” is not a complete path. Begin it with / or ~/.")
    return whole


def _expanded(path: Path) -> Path:
    """A path with the home of the user that it names (`~ada/data`); as it is where there is none."""
    with suppress(RuntimeError):
        return path.expanduser()
    return path


def _names_several(text: str, whole: Path) -> bool:
    first, comma, _ = str(whole).partition(",")
    return _SEVERAL.search(text) is not None or (bool(comma) and os.path.lexists(first))


def _check_size(path: Path, named: str, policy: Policy) -> None:
    """Refuse what is there anyway, and what is far more than anybody means."""
    if _in_any(path, (policy.folder,)):
        raise NotGrantable("Code in this chat uses that folder anyway.")
    if path == policy.home:
        raise NotGrantable("~ is your whole home folder. Enter a folder in it, such as ~/data.")
    if path == Path("/"):
        raise NotGrantable("/ is this whole computer. Enter a folder, such as ~/data.")
    if offers.is_home(path, policy.home):
        raise NotGrantable(f"{named} is a whole home folder. Enter a folder in it.")
    if policy.home.is_relative_to(path):
        raise NotGrantable(f"{named} holds your whole home folder. Enter a folder in it, such as ~/data.")
    if offers.holds_homes(path):
        raise NotGrantable(f"{named} holds the homes of people. Enter a folder in one of them.")
    if any(each.is_relative_to(path) for each in _TEMPORARY):
        raise NotGrantable(
            f"{named} holds the temporary files of all programs. Enter a folder or file in it."
        )


def _check_there(path: Path, named: str, *, folder: bool) -> None:
    try:
        mode = path.stat().st_mode
    except PermissionError:
        raise NotGrantable(f"You cannot read {named} yourself.") from None
    except (OSError, ValueError):
        raise NotGrantable(f"There is no {named} on this computer.") from None
    if stat.S_ISREG(mode) and folder:
        raise NotGrantable(f"{named} is a file, not a folder.")
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise NotGrantable(f"{named} is neither a folder nor a file.")
    if not offers.readable(path):
        raise NotGrantable(f"You cannot read {named} yourself.")


def _check_apart(path: Path, named: str, ours: Sequence[Path], setting: str) -> None:
    """Refuse what the sandbox keeps from code."""
    if _in_any(path, ours) or offers.of_kernels(path):
        raise NotGrantable(f"{named} holds CodeRunner's own data, which code never gets.")
    if _in_any(path, _APART):
        raise NotGrantable(f"{named} belongs to the system, and code never gets it.")
    if offers.bears_secret(path):
        raise NotGrantable(f"Secrets may lie in {named}, so only the setting {setting} allows it.")


def _in_any(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(each) for each in folders)
