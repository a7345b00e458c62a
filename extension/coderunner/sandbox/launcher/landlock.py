"""Landlock: what a process that confined itself, and all it starts, may open, change, connect to and signal.

Works without any right. It is told truly: PermissionError, with the path. What Landlock itself does not
know (times and modes of files, Unix sockets by path, other kinds of sockets) is for `seccomp` and `broker`.
"""

from __future__ import annotations

import errno
import os
import stat
import struct

from coderunner.sandbox.launcher import libc
from coderunner.sandbox.launcher.call_filter import seccomp
from coderunner.sandbox.launcher.call_filter.call_numbers import CALLS, COLUMN

TYPE_CHECKING = False
if TYPE_CHECKING:  # the import of typing takes as long as all the rest
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << bit for bit in range(6))
MAKE_DIR, MAKE_REG, MAKE_SOCK, MAKE_FIFO, MAKE_SYM = 1 << 7, 1 << 8, 1 << 9, 1 << 10, 1 << 12
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15

READ = EXECUTE | READ_FILE | READ_DIR
WRITE = (
    READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO | MAKE_SYM
    | REFER | TRUNCATE
)  # fmt: skip
DEVICE = READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
"""The rights that a file, rather than a folder, can have."""

FILES_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""Which rights the kernel knows, by the version of its interface: <linux/landlock.h>."""
TCP_ABI, SCOPE_ABI = 4, 6
BIND_AND_CONNECT = 3
SIGNALS_AND_ABSTRACT_SOCKETS = 3

DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx")
GRAPHICS = ("nvidia", "dri", "kfd", "dxg")
"""How the names begin of what CUDA, ROCm and their kin need in /dev."""
PROC = (
    "cgroups", "cmdline", "cpuinfo", "devices", "diskstats", "driver", "filesystems", "loadavg", "meminfo",
    "misc", "modules", "partitions", "stat", "swaps", "sys", "uptime", "version", "vmstat",
)  # fmt: skip
"""What tells of the machine in /proc."""
OTHERS = {"net", "task", "root", "cwd", "exe"}
"""What in a process's own folder in /proc tells of others: all connections of the machine, once more in each
thread's folder; and links, a rule for which would be one for what they lead to."""

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_BENEATH = 1
_VERSION = 1
_NEW_LISTENER = 8
"""SECCOMP_FILTER_FLAG_NEW_LISTENER."""


def abi() -> int:
    """Return the version of Landlock's interface that this kernel has; 0: none."""
    try:
        return libc.syscall(_CREATE, None, 0, _VERSION)
    except OSError:
        return 0


def sufficient() -> bool:
    """Return whether the kernel refuses enough: before version 3, any file could be emptied."""
    return abi() >= 3 and os.uname().machine in seccomp.AUDIT


def confine(policy: Mapping[str, Any]) -> None:
    """Confine this process for good, with all that it will start, to what a policy (as JSON) names.

    What the kernel is too old to refuse stays possible (see `abi`); paths that do not exist are skipped.
    Raises OSError where there is no Landlock.
    """
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    version = abi()
    known = FILES_BY_ABI[max((each for each in FILES_BY_ABI if each <= version), default=1)]
    attributes = [known]
    attributes += [BIND_AND_CONNECT] if version >= TCP_ABI else []
    attributes += [SIGNALS_AND_ABSTRACT_SOCKETS] if version >= SCOPE_ABI else []
    packed = struct.pack(f"={len(attributes)}Q", *attributes)
    ruleset = libc.syscall(_CREATE, packed, len(packed), 0)
    try:
        for path, rights in rules(policy):
            _allow(ruleset, path, rights & known, exactly=_in_granted(path, policy))
        libc.syscall(_RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)


def filter_calls(*, asking: bool = False) -> int:
    """Filter the system calls of this process, and of all that it will start, for good.

    With `asking`, returns the descriptor that answers what is for a broker; else 0. Raises OSError, also on a
    machine whose calls are not known.
    """
    machine = os.uname().machine
    if machine not in seccomp.AUDIT:
        raise OSError(errno.ENOSYS, f"no filter of system calls is known for {machine}")
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    rules = (*seccomp.ASKED, *seccomp.RULES) if asking else seccomp.RULES
    code = seccomp.program(rules, machine)
    return libc.filter_calls(CALLS["seccomp"][COLUMN[machine]] or 0, code, _NEW_LISTENER if asking else 0)


def rules(policy: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield the paths of a policy and of every program, with the rights to them."""
    for path in readable(policy):
        yield path, READ
    hidden = [os.path.realpath(path) for path in policy.get("hidden", ())]
    for path in policy.get("listed", ()):
        yield path, READ_DIR
    for path in (*policy.get("imports", ()), *policy["read"], *policy["write"], policy["folder"]):
        yield from _around(path, READ, hidden, [])
    shut = sealed(policy)
    for path in writable(policy):
        yield from _around(path, WRITE, hidden, shut)
    yield "/sys", READ_FILE | READ_DIR
    for name in _listed("/dev"):
        if name in DEVICES or name.startswith(GRAPHICS):
            yield f"/dev/{name}", DEVICE | READ_DIR
    # The numbers of processes may be listed: what tells more of another one is refused.
    yield "/proc", READ_DIR
    for name in PROC:
        yield f"/proc/{name}", READ_FILE | READ_DIR
    for path in own_proc("self"):
        yield path, READ_FILE | WRITE_FILE | READ_DIR


def _around(path: str, rights: int, hidden: list[str], sealed: list[str]) -> Iterator[tuple[str, int]]:
    """Yield a path; where something hidden or sealed is below it, all else that is in it now."""
    real = os.path.realpath(path)
    if real in hidden or real in sealed:
        return
    if not any(_below(each, real) for each in (*hidden, *sealed)):
        yield path, rights
        return
    yield path, READ_DIR
    for name in _listed(path):
        if not os.path.islink(f"{path}/{name}"):
            yield from _around(f"{path}/{name}", rights, hidden, sealed)


def writable(policy: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a policy lets be written. A grant of what is executed outside is none to write."""
    granted = (each for each in policy["write"] if not _guarded(os.path.realpath(each), policy))
    return (*_own(policy), *granted)


def sealed(policy: Mapping[str, Any]) -> list[str]:
    """Return what stays read only in a folder that may be written."""
    found = {os.path.realpath(each) for each in (*policy.get("guarded", ()), *policy["system"])}
    return sorted(found.difference(map(os.path.realpath, _own(policy))))


def _own(policy: Mapping[str, Any]) -> tuple[str, ...]:
    return policy["folder"], policy["sockets"], policy["temporary"]


def _guarded(path: str, policy: Mapping[str, Any]) -> bool:
    """Whether a path is in what is executed outside, and not in our own data there."""
    data = [os.path.realpath(each) for each in policy.get("hidden", ())]
    return any(
        (path == each or _below(path, each))
        and not any(_below(own, each) and (path == own or _below(path, own)) for own in data)
        for each in map(os.path.realpath, (*policy.get("guarded", ()), *policy["system"]))
        if each in policy.get("guarded", ()) or path == each
    )


def _below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")


def own_proc(process: int | str) -> list[str]:
    """Return what a process may read about itself. A rule is about the very entry that is there now.

    So somebody has to keep them open: Linux forgets an entry that nobody uses and makes another one later.
    """
    return [f"/proc/{process}/{name}" for name in _listed(f"/proc/{process}") if name not in OTHERS]


def readable(policy: Mapping[str, Any]) -> Iterable[str]:
    """Return the paths of the system in a policy, as they were `spread` where it was sent, else now."""
    return policy["spread"] if "spread" in policy else spread(policy["system"])


def spread(system: Iterable[str]) -> list[str]:
    """Return the paths of the system; for root without what is root's alone, such as /etc/shadow.

    For root it takes milliseconds.
    """
    found: list[str] = []
    for path in system:
        found += _public(path, depth=2) if path == "/etc" and os.geteuid() == 0 else [path]
    return found


def _public(folder: str, depth: int) -> list[str]:
    """Return what everybody may read in a folder: itself where that is all."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return []
    found = []
    for entry in entries:
        try:
            mode = entry.stat().st_mode
        except OSError:
            continue  # a link to nowhere
        if depth > 1 and entry.is_dir(follow_symlinks=False) and mode & stat.S_IXOTH:
            found += _public(entry.path, depth - 1)
        elif mode & stat.S_IROTH:
            found.append(entry.path)
    return [folder] if depth == 1 and len(found) == len(entries) else found


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _in_granted(path: str, policy: Mapping[str, Any]) -> bool:
    return any(path == each or _below(path, each) for each in (*policy["read"], *policy["write"]))


def _allow(ruleset: int, path: str, rights: int, *, exactly: bool = False) -> None:
    """Allow what is at a path; with `exactly`, only where no link is on the way to it."""
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # it does not exist
    try:
        if exactly and os.readlink(f"/proc/self/fd/{handle}") != path:
            return  # another kernel may put a link there at any moment
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            rights &= OF_FILES
        libc.syscall(_ADD, ruleset, _BENEATH, struct.pack("=Qi", rights, handle), 0)
    finally:
        os.close(handle)
