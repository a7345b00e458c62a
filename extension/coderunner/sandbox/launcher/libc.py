"""The system calls that Python has no function for."""

from __future__ import annotations

import ctypes
import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # the import of typing takes as long as all the rest
    from collections.abc import Callable
    from typing import Any

_libc = ctypes.CDLL(None, use_errno=True)

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 32, 4096, 8192, 16384, 1 << 18
MS_NOATIME, MS_NODIRATIME, MS_RELATIME = 1024, 2048, 1 << 21

PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "loongarch64": 41, "ppc64le": 203, "s390x": 217}
KEYCTL = {"x86_64": 250, "aarch64": 219, "riscv64": 219, "loongarch64": 219, "ppc64le": 271, "s390x": 280}
MOUNT_SETATTR = 442
"""The same on all of them, as every call is that Linux got since 5.1."""
AT_EMPTY_PATH, AT_RECURSIVE = 0x1000, 0x8000
ATTR_RDONLY, ATTR_NOSUID = 1, 2

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECUREBITS = 1, 4, 28
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 24, 38, 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
JOIN_SESSION_KEYRING = 1


def call(name: str, *arguments: Any) -> int:
    """Call a function of the C library; raises OSError where it fails."""
    function: Callable[..., int] = getattr(_libc, name)
    result = function(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def syscall(number: int, *arguments: Any) -> int:
    """Make a system call by its number; raises OSError where it fails."""
    longs = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    return call("syscall", ctypes.c_long(number), *longs)


def prctl(option: int, *arguments: int) -> int:
    """Call prctl; raises OSError where it fails."""
    four = (*arguments, 0, 0, 0, 0)[:4]
    return call("prctl", option, *map(ctypes.c_ulong, four))


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount; raises OSError where that fails."""
    names = (os.fsencode(source), os.fsencode(target), kind.encode() or None)
    call("mount", *names, ctypes.c_ulong(flags), data.encode() or None)


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root of all processes here, and put the one before at `old`; raises OSError."""
    number = PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise OSError(0, f"no number of pivot_root is known for {os.uname().machine}")
    syscall(number, os.fsencode(new), os.fsencode(old))


class _Attributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "namespace")]


def seal(handle: int) -> None:
    """Make a mount and all below it read only; raises OSError, with ENOSYS before Linux 5.12."""
    attributes = _Attributes(ATTR_RDONLY | ATTR_NOSUID, 0, 0, 0)
    flags = AT_EMPTY_PATH | AT_RECURSIVE
    syscall(MOUNT_SETATTR, handle, b"", flags, ctypes.byref(attributes), ctypes.sizeof(attributes))


def loopback_up() -> None:
    """Switch on the loopback interface of this network namespace; raises OSError."""
    af_inet, stream, get_flags, set_flags, up = 2, 1, 0x8913, 0x8914, 1
    handle = call("socket", af_inet, stream, 0)
    try:
        request = ctypes.create_string_buffer(b"lo", 40)
        call("ioctl", handle, ctypes.c_ulong(get_flags), request)
        request[16] = bytes([request.raw[16] | up])
        call("ioctl", handle, ctypes.c_ulong(set_flags), request)
    finally:
        os.close(handle)


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


def drop_capabilities() -> None:
    """Give up every capability, for good: also what a program of root or one with file capabilities gets."""
    # NOROOT and NO_SETUID_FIXUP with their locks, KEEP_CAPS locked (off), NO_CAP_AMBIENT_RAISE with its lock
    prctl(PR_SET_SECUREBITS, 0x01 | 0x02 | 0x04 | 0x08 | 0x20 | 0x40 | 0x80)
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    for number in range(64):
        try:
            prctl(PR_CAPBSET_DROP, number)
        except OSError:
            break  # there are no more
    version_3 = 0x20080522
    call("capset", ctypes.byref(_CapabilityHeader(version_3, 0)), (ctypes.c_uint32 * 6)())


def forget_keys() -> None:
    """Leave the session keyring, which may hold keys of the person's; where there are none, do nothing."""
    number = KEYCTL.get(os.uname().machine)
    if number is not None:
        try:
            syscall(number, JOIN_SESSION_KEYRING, None)
        except OSError:
            pass
