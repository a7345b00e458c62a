"""What the broker allows: modes and times of what may be written; sockets and shared memory of its own."""

from __future__ import annotations

import _socket
import fcntl
import os
import stat
import struct

from coderunner.sandbox.launcher import libc
from coderunner.sandbox.launcher.broker import HERE, UNDONE, Given, Refused
from coderunner.sandbox.launcher.call_filter.call_numbers import CALLS, COLUMN
from coderunner.sandbox.launcher.call_filter.seccomp import OPEN_TERMINAL

TYPE_CHECKING = False
if TYPE_CHECKING:  # the import of typing takes as long as all the rest
    from coderunner.sandbox.launcher.broker import Broker, Call, Handler, Roots

NO_FOLLOW, REMOVE_FOLDER = 0x100, 0x200
"""AT_SYMLINK_NOFOLLOW, AT_REMOVEDIR."""
WATCH_NO_FOLLOW = 0x02000000
"""IN_DONT_FOLLOW."""
SPECIAL_BITS = 0o6000
"""Set-user-id and set-group-id: nothing that runs here may hand them to others of this machine."""
FAMILY = 39
"""SO_DOMAIN."""
SHARED = b"/dev/shm/"
"""Where the C library makes semaphores and shared memory."""
NOBODY = 0xFFFFFFFF
"""The user or group that a chown leaves as it is."""


# --- sockets ------------------------------------------------------------------------------------------


def connect(broker: Broker, call: Call) -> int:
    """Connect to a Unix socket in a folder of the kernel's own, or to the way out."""
    size = call.number(2)
    address = call.read(call.arguments[1], min(size, 128)) if size > 2 else b""
    family = int.from_bytes(address[:2], "little")
    if family == _socket.AF_UNIX and address[2:3] not in (b"", b"\0"):
        target = broker.writable.open(call.path(HERE, address[2:].split(b"\0", 1)[0]))
        try:
            return _connected(call, family, f"/proc/self/fd/{target}")
        finally:
            os.close(target)
    port, host = struct.unpack("!H4s", address[2:8].ljust(6, b"\0"))
    if family == _socket.AF_INET and host == b"\x7f\0\0\1" and port == broker.way_out != 0:
        return _connected(call, family, ("127.0.0.1", port))
    raise Refused


def _connected(call: Call, family: int, address: str | tuple[str, int]) -> int:
    try:
        handle = call.descriptor(0)
    except PermissionError:
        return _connected_anew(call, family, address)
    own = _socket.socket(family, _socket.SOCK_STREAM, 0, handle)
    try:
        if own.getsockopt(_socket.SOL_SOCKET, FAMILY) != family:
            raise Refused
        _begun(own, address)
    finally:
        own.close()
    return 0


def _connected_anew(call: Call, family: int, address: str | tuple[str, int]) -> int:
    """Where a container forbids us a descriptor of another process: put a socket of ours in its place."""
    own = _socket.socket(family, _socket.SOCK_STREAM)
    try:
        _begun(own, address)
        os.set_blocking(own.fileno(), not call.flags(0) & os.O_NONBLOCK)
        given = Given(os.dup(own.fileno()))
        given.place = call.number(0)
        return given
    finally:
        own.close()


def _begun(own: _socket.socket, address: str | tuple[str, int]) -> None:
    error = own.connect_ex(address)
    if error:
        raise OSError(error, os.strerror(error))


def listen(_broker: Broker, call: Call) -> int:
    """Listen on a Unix socket."""
    try:
        handle = call.descriptor(0)
    except PermissionError:
        return UNDONE if _is_unix(call) else _refuse()
    own = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, handle)
    try:
        if own.getsockopt(_socket.SOL_SOCKET, FAMILY) != _socket.AF_UNIX:
            raise Refused
        own.listen(max(call.number(1), 0))
    finally:
        own.close()
    return 0


def _is_unix(call: Call) -> bool:
    """Tell whether a socket is listed among the Unix sockets of this machine."""
    inode = os.readlink(call.place(0)).removeprefix("socket:[").removesuffix("]").encode()
    with open("/proc/net/unix", "rb") as file:
        return any(inode in line.split()[6:7] for line in file)


def _refuse() -> int:
    raise Refused


# --- what belongs to a file -------------------------------------------------------------------------------


def chmod(broker: Broker, call: Call) -> int:
    """Set the mode of a path."""
    return _change_mode(broker, call, HERE, 0, 1)


def fchmodat(broker: Broker, call: Call) -> int:
    """Set the mode of a path below a folder. Only its newer sibling has flags, which nothing here needs."""
    return _change_mode(broker, call, call.number(0), 1, 2)


def _change_mode(broker: Broker, call: Call, folder: int, name: int, mode: int) -> int:
    with _Opened(broker, call, folder, name) as path:
        os.chmod(path, call.number(mode) & 0o7777 & ~SPECIAL_BITS)
    return 0


def fchmod(broker: Broker, call: Call) -> int:
    """Set the mode of an open file."""
    with _Held(broker, call) as path:
        os.chmod(path, call.number(1) & 0o7777 & ~SPECIAL_BITS)
    return 0


def chown(broker: Broker, call: Call) -> int:
    """Set the owner of a path."""
    return _change_owner(broker, call, HERE, 0, 1)


def lchown(broker: Broker, call: Call) -> int:
    """Set the owner of a path, of a link itself."""
    return _change_owner(broker, call, HERE, 0, 1, follow=False)


def fchownat(broker: Broker, call: Call) -> int:
    """Set the owner of a path below a folder."""
    return _change_owner(broker, call, call.number(0), 1, 2, follow=not call.number(4) & NO_FOLLOW)


def fchown(broker: Broker, call: Call) -> int:
    """Set the owner of an open file."""
    with _Held(broker, call) as path:
        os.chown(path, _owner(call, 1), _owner(call, 2))
    return 0


def _change_owner(
    broker: Broker, call: Call, folder: int, name: int, first: int, *, follow: bool = True
) -> int:
    with _Opened(broker, call, folder, name, follow=follow) as path:
        os.chown(path, _owner(call, first), _owner(call, first + 1))
    return 0


def _owner(call: Call, index: int) -> int:
    value = call.arguments[index] & NOBODY
    return -1 if value == NOBODY else value


def utimensat(broker: Broker, call: Call) -> int:
    """Set the times of a path or of an open file."""
    times = call.read(call.arguments[2], 32) if call.arguments[2] else None
    if not call.arguments[1]:
        with _Held(broker, call) as path:
            return _set_times(path, times)
    follow = not call.number(3) & NO_FOLLOW
    with _Opened(broker, call, call.number(0), 1, follow=follow) as path:
        return _set_times(path, times)


def _set_times(path: str, times: bytes | None) -> int:
    libc.syscall(_number("utimensat"), HERE, path.encode(), times, 0)
    return 0


def inotify_add_watch(broker: Broker, call: Call) -> int:
    """Watch what may be read."""
    follow = not call.arguments[2] & WATCH_NO_FOLLOW
    with _Opened(broker, call, HERE, 1, follow=follow, roots=broker.readable) as path:
        own = call.descriptor(0)
        try:
            mask = call.arguments[2] & ~WATCH_NO_FOLLOW & 0xFFFFFFFF
            return libc.syscall(_number("inotify_add_watch"), own, path.encode(), mask)
        finally:
            os.close(own)


def terminal(_broker: Broker, call: Call) -> int:
    """Open the other side of a terminal of its own: those of the person have the same kind of path."""
    flags = os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC
    try:
        own = call.descriptor(0)
    except PermissionError:
        return Given(os.open(f"/dev/pts/{call.terminal(0)}", flags))
    try:
        return Given(fcntl.ioctl(own, OPEN_TERMINAL, flags))
    finally:
        os.close(own)


# --- shared memory ----------------------------------------------------------------------------------------


def openat(broker: Broker, call: Call) -> int:
    """Open shared memory; all else is for Linux."""
    return _open_shared(broker, call, 1)


def _open_shared(broker: Broker, call: Call, index: int) -> int:
    name = _shared(call, index)
    if not name:
        return UNDONE
    flags, mode = call.number(index + 1), call.number(index + 2)
    path = f"{broker.shared_memory}/{name}"
    return Given(os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, mode & 0o700))


def link(broker: Broker, call: Call) -> int:
    """Give shared memory its name; all else is for Linux."""
    return _link_shared(broker, call, 0, 1)


def linkat(broker: Broker, call: Call) -> int:
    """Give shared memory its name; all else is for Linux."""
    return _link_shared(broker, call, 1, 3)


def _link_shared(broker: Broker, call: Call, old: int, new: int) -> int:
    names = _shared(call, old), _shared(call, new)
    if not all(names):
        return UNDONE
    os.link(*(f"{broker.shared_memory}/{name}" for name in names), follow_symlinks=False)
    return 0


def unlink(broker: Broker, call: Call) -> int:
    """Remove shared memory; all else is for Linux."""
    return _unlink_shared(broker, call, 0)


def unlinkat(broker: Broker, call: Call) -> int:
    """Remove shared memory; all else is for Linux."""
    return UNDONE if call.number(2) & REMOVE_FOLDER else _unlink_shared(broker, call, 1)


def _unlink_shared(broker: Broker, call: Call, index: int) -> int:
    name = _shared(call, index)
    if not name:
        return UNDONE
    os.unlink(f"{broker.shared_memory}/{name}")
    return 0


def _shared(call: Call, index: int) -> str:
    """Return the name within /dev/shm that an argument is, else nothing."""
    if call.read(call.arguments[index], len(SHARED)) != SHARED:
        return ""
    name = os.fsdecode(call.text(index)[len(SHARED) :])
    return "" if "/" in name or name in ("", ".", "..") else name


# --- what they share --------------------------------------------------------------------------------------


class _Opened:
    """A path for us to what the calling process names, while it is entered; raises Refused and OSError."""

    def __init__(
        self,
        broker: Broker,
        call: Call,
        folder: int,
        name: int,
        *,
        follow: bool = True,
        roots: Roots | None = None,
    ) -> None:
        path = call.path(folder, call.text(name))
        self._handle = (roots or broker.writable).open(path, follow=follow)

    def __enter__(self) -> str:
        return f"/proc/self/fd/{self._handle}"

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)


class _Held:
    """The same for an open file: one in a folder of its own, or one that it may write anyway."""

    def __init__(self, broker: Broker, call: Call) -> None:
        self._writes = call.flags(0) & os.O_ACCMODE != os.O_RDONLY
        self._handle = os.open(call.place(0), os.O_PATH | os.O_CLOEXEC)
        try:
            if not self._own(broker):
                raise Refused
        except BaseException:
            os.close(self._handle)
            raise

    def _own(self, broker: Broker) -> bool:
        kind = os.fstat(self._handle).st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            return False
        return self._writes or os.readlink(f"/proc/self/fd/{self._handle}") in broker.writable

    def __enter__(self) -> str:
        return f"/proc/self/fd/{self._handle}"

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)


def _number(name: str) -> int:
    return CALLS[name][COLUMN[os.uname().machine]] or 0


HANDLERS: dict[str, Handler] = {
    "connect": connect,
    "listen": listen,
    "chmod": chmod,
    "fchmod": fchmod,
    "fchmodat": fchmodat,
    "fchmodat2": fchmodat,
    "chown": chown,
    "lchown": lchown,
    "fchown": fchown,
    "fchownat": fchownat,
    "utimensat": utimensat,
    "inotify_add_watch": inotify_add_watch,
    "ioctl": terminal,
    "openat": openat,
    "link": link,
    "linkat": linkat,
    "unlink": unlink,
    "unlinkat": unlinkat,
}
SLOW = (connect,)
"""What waits for others."""
