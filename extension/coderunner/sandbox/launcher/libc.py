"""The system calls that Python has no function for."""

from __future__ import annotations

import _ctypes  # `ctypes` itself would cost the start of each kernel two milliseconds
import fcntl
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:  # the import of typing takes as long as all the rest
    from collections.abc import Callable
    from typing import Any


class _Int(_ctypes._SimpleCData):  # type: ignore[type-arg]
    _type_ = "i"


class _Long(_ctypes._SimpleCData):  # type: ignore[type-arg]
    _type_ = "l"


class _UnsignedLong(_ctypes._SimpleCData):  # type: ignore[type-arg]
    _type_ = "L"


class _Char(_ctypes._SimpleCData):  # type: ignore[type-arg]
    _type_ = "c"


class _Function(_ctypes.CFuncPtr):
    _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO
    _restype_ = _Int


class _Library:
    """The C library, as far as this process has it."""

    _handle = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]


_libc = _Library()

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


_FOUND: dict[str, Callable[..., int]] = {}
"""Functions of it that were used."""


def call(name: str, *arguments: Any) -> int:
    """Call a function of the C library; raises OSError where it fails."""
    if name not in _FOUND:
        _FOUND[name] = _Function((name, _libc))  # type: ignore[arg-type]
    result = _FOUND[name](*arguments)
    if result < 0:
        number = _ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def syscall(number: int, *arguments: Any) -> int:
    """Make a system call by its number; raises OSError where it fails."""
    longs = [_Long(each) if isinstance(each, int) else each for each in arguments]
    return call("syscall", _Long(number), *longs)


def prctl(option: int, *arguments: int) -> int:
    """Call prctl; raises OSError where it fails."""
    four = (*arguments, 0, 0, 0, 0)[:4]
    return call("prctl", option, *map(_UnsignedLong, four))


class Held:
    """Bytes in memory, and their `address` for as long as this is kept."""

    def __init__(self, content: bytes) -> None:
        array: Any = type("_Bytes", (_ctypes.Array,), {"_type_": _Char, "_length_": len(content)})
        self._kept = array.from_buffer_copy(content)
        self.address = _ctypes.addressof(self._kept)


def filter_calls(number: int, code: bytes, flags: int = 0) -> int:
    """Filter the system calls of this process, and of all that it will start, for good; raises OSError.

    `number`: that of seccomp on this machine; `code`: the filter. Returns what seccomp does.
    """
    held = Held(code)
    set_filter, no_slow_down = 1, 4
    packed = struct.pack("@HP", len(code) // 8, held.address)
    return syscall(number, set_filter, flags | no_slow_down, packed)


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount; raises OSError where that fails."""
    names = (os.fsencode(source), os.fsencode(target), kind.encode() or None)
    call("mount", *names, _UnsignedLong(flags), data.encode() or None)


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root of all processes here, and put the one before at `old`; raises OSError."""
    number = PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise OSError(0, f"no number of pivot_root is known for {os.uname().machine}")
    syscall(number, os.fsencode(new), os.fsencode(old))


def seal(handle: int) -> None:
    """Make a mount and all below it read only; raises OSError, with ENOSYS before Linux 5.12."""
    attributes = struct.pack("=4Q", ATTR_RDONLY | ATTR_NOSUID, 0, 0, 0)
    syscall(MOUNT_SETATTR, handle, b"", AT_EMPTY_PATH | AT_RECURSIVE, attributes, len(attributes))


def loopback_up() -> None:
    """Switch on the loopback interface of this network namespace; raises OSError."""
    af_inet, stream, get_flags, set_flags, up = 2, 1, 0x8913, 0x8914, 1
    handle = call("socket", af_inet, stream, 0)
    try:
        name, flags = struct.unpack_from("=16sH", fcntl.ioctl(handle, get_flags, b"lo".ljust(40, b"\0")))
        fcntl.ioctl(handle, set_flags, struct.pack("=16sH22x", name, flags | up))
    finally:
        os.close(handle)


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
    call("capset", struct.pack("=Ii", version_3, 0), bytes(24))


def forget_keys() -> None:
    """Leave the session keyring, which may hold keys of the person's; where there are none, do nothing."""
    number = KEYCTL.get(os.uname().machine)
    if number is not None:
        try:
            syscall(number, JOIN_SESSION_KEYRING, None)
        except OSError:
            pass
