"""Does for a confined process what Landlock does not decide and a filter of system calls cannot.

Linux holds such a call until we answer. What is allowed we do ourselves, with our own copy of the arguments:
those in the program's memory could be others a moment later. `brokered_calls` says what is allowed.
"""

from __future__ import annotations

import _thread
import errno
import fcntl
import os
import struct

from coderunner.sandbox.launcher import landlock, libc
from coderunner.sandbox.launcher.call_filter.call_numbers import CALLS, COLUMN

TYPE_CHECKING = False
if TYPE_CHECKING:  # the import of typing takes as long as all the rest
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    Handler = Callable[["Broker", "Call"], int]

RECEIVE, SEND, VALID, ADD_DESCRIPTOR = 0xC0502100, 0xC0182101, 0x40082102, 0x40182103
"""<linux/seccomp.h>: SECCOMP_IOCTL_NOTIF_*."""
_CALL = struct.Struct("=QIIiIQ6Q")
_ANSWER = struct.Struct("=QqiI")
HERE = -100
"""AT_FDCWD."""
BENEATH = 0x08 | 0x04 | 0x02
"""RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS."""
LONGEST = 4096
"""PATH_MAX."""
UNDONE = -1
"""What a handler returns when Linux shall do the call: it is refused there what it may not."""
_GO_ON = 1
_AT_NUMBER = 1
"""SECCOMP_ADDFD_FLAG_SETFD."""


class Refused(Exception):
    """The call is not allowed."""


class Given(int):
    """A descriptor of ours that the calling process is to have; the call returns its number there.

    With a `place`, it takes that number, and the call returns 0.
    """

    place = -1


class Call:
    """One call that waits for us. What it tells of its thread is told while that still waits, or Refused."""

    def __init__(self, listener: int, identity: int, thread: int, arguments: tuple[int, ...]) -> None:
        self._listener, self._identity = listener, identity
        self.thread, self.arguments = thread, arguments

    def _waits(self) -> None:
        """Raise Refused if it has ended: its number may be another's by now."""
        try:
            fcntl.ioctl(self._listener, VALID, struct.pack("=Q", self._identity))
        except OSError as error:
            raise Refused from error

    def number(self, index: int) -> int:
        """Return an argument that is an int in C."""
        value = self.arguments[index] & 0xFFFFFFFF
        return value - (1 << 32) if value >> 31 else value

    def read(self, address: int, size: int) -> bytes:
        """Return bytes of its memory, fewer where they end; raises OSError."""
        memory = os.open(f"/proc/{self.thread}/mem", os.O_RDONLY)
        try:
            self._waits()
            return os.pread(memory, size, address)
        finally:
            os.close(memory)

    def text(self, index: int) -> bytes:
        """Return a string by the argument that points to it; raises OSError and Refused."""
        address, found = self.arguments[index], b""
        while len(found) < LONGEST:
            # Not beyond the page: the next one may not be there.
            piece = self.read(address + len(found), 4096 - (address + len(found)) % 4096)
            if not piece:
                break
            found += piece
            if b"\0" in piece:
                return found.split(b"\0", 1)[0]
        raise Refused

    def path(self, folder: int, name: bytes) -> str:
        """Return the absolute path of a name, as the calling process means it; raises OSError."""
        text = os.fsdecode(name)
        if text.startswith("/proc/self/"):
            return f"/proc/{self.thread}/{text[len('/proc/self/') :]}"
        if text.startswith("/"):
            return text
        base = os.readlink(f"/proc/{self.thread}/" + ("cwd" if folder == HERE else f"fd/{folder}"))
        self._waits()
        return f"{base}/{text}"

    def flags(self, index: int) -> int:
        """Return the flags of a descriptor of its; raises OSError and Refused."""
        return int(self._told(index, b"flags:"), 8)

    def terminal(self, index: int) -> int:
        """Return the number of the terminal that a descriptor of its is the other end of."""
        return int(self._told(index, b"tty-index:"))

    def _told(self, index: int, what: bytes) -> bytes:
        with open(f"/proc/{self.thread}/fdinfo/{self.number(index)}", "rb") as file:
            self._waits()
            for line in file:
                if line.startswith(what):
                    return line[len(what) :].strip()
        raise Refused

    def place(self, index: int) -> str:
        """Return a path for us to what a descriptor of its is, though not to a socket."""
        self._waits()
        return f"/proc/{self.thread}/fd/{self.number(index)}"

    def descriptor(self, index: int) -> int:
        """Return a copy of a descriptor of its; raises OSError."""
        group = self.thread  # a thread has its group's descriptors
        with open(f"/proc/{self.thread}/status", "rb") as status:
            for line in status:
                if line.startswith(b"Tgid:"):
                    group = int(line[5:])
                    break
        process = os.pidfd_open(group)
        try:
            self._waits()
            return libc.syscall(_number("pidfd_getfd"), process, self.number(index), 0)
        finally:
            os.close(process)


class Broker:
    """Answers the calls of one confined kernel and of all that it started."""

    def __init__(
        self,
        policy: Mapping[str, Any],
        handlers: Mapping[str, Handler],
        *,
        slow: tuple[Handler, ...] = (),
        way_out: int = 0,
        shared_memory: str = "",
    ) -> None:
        """`way_out`: the one port of 127.0.0.1 that may be connected to; 0: none.

        `shared_memory`: the folder that stands for /dev/shm. What is `slow` gets a thread of its own.
        """
        column = COLUMN[os.uname().machine]
        self._handlers: dict[int | None, Handler] = {
            CALLS[name][column]: each for name, each in handlers.items()
        }
        self._slow = slow
        self.listener = -1
        """The descriptor at which calls wait."""
        self.way_out = way_out
        self.shared_memory = shared_memory
        self.writable = Roots(
            landlock.writable(policy), (*policy.get("hidden", ()), *landlock.sealed(policy))
        )
        self._policy = policy
        self._readable: Roots | None = None

    @property
    def readable(self) -> Roots:
        """What may be read. Found when it is asked for first: few kernels ask, and all would wait for it."""
        if self._readable is None:
            policy = self._policy
            granted = (
                *policy.get("imports", ()),
                *policy["read"],
                *policy["write"],
                *landlock.writable(policy),
            )
            self._readable = Roots((*landlock.readable(policy), *granted), policy.get("hidden", ()))
        return self._readable

    def answer(self) -> None:
        """Receive one call and answer it.

        A handler returns what the call returns, or `UNDONE`; or raises Refused or OSError.
        """
        held = bytearray(_CALL.size)
        try:
            fcntl.ioctl(self.listener, RECEIVE, held)
        except OSError:
            return  # who called is gone
        identity, thread, _, number, _, _, *arguments = _CALL.unpack(held)
        call = Call(self.listener, identity, thread, tuple(arguments))
        handler = self._handlers[number]
        if handler in self._slow:
            _thread.start_new_thread(self._reply, (identity, call, handler))
        else:
            self._reply(identity, call, handler)

    def _reply(self, identity: int, call: Call, handler: Handler) -> None:
        try:
            value, error = handler(self, call), 0
        except Refused:
            value, error = 0, errno.EACCES
        except OSError as failed:
            value, error = 0, failed.errno or errno.EIO
        except Exception:
            value, error = 0, errno.EACCES
        try:
            if isinstance(value, Given):
                number = self._give(identity, value)
                value = 0 if value.place >= 0 else number
            flags = _GO_ON if value == UNDONE else 0
            fcntl.ioctl(self.listener, SEND, _ANSWER.pack(identity, max(value, 0), -error, flags))
        except OSError:
            pass  # who called is gone

    def _give(self, identity: int, descriptor: Given) -> int:
        try:
            flags = _AT_NUMBER if descriptor.place >= 0 else 0
            request = bytearray(
                struct.pack("=QIIII", identity, flags, descriptor, max(descriptor.place, 0), os.O_CLOEXEC)
            )
            number: int = fcntl.ioctl(self.listener, ADD_DESCRIPTOR, request)
            return number
        finally:
            os.close(descriptor)


class Roots:
    """Folders and files, and what is below them. Each is held: it stays the same where it is renamed."""

    def __init__(self, paths: Iterable[str], hidden: Iterable[str]) -> None:
        """`hidden`: what is not meant, though it is below one of them."""
        self._hidden = [os.path.realpath(path) for path in hidden]
        self._handles: list[int] = []
        for path in paths:
            try:
                self._handles.append(os.open(path, os.O_PATH | os.O_CLOEXEC))
            except OSError:
                continue  # it does not exist

    def open(self, path: str, *, follow: bool = True) -> int:
        """Return a handle to what lies at a path below one of them; no link leads out.

        Raises Refused and OSError.
        """
        head, tail = os.path.split(path)
        whole = follow or tail in ("", ".", "..")
        real = os.path.realpath(path) if whole else os.path.join(os.path.realpath(head), tail)
        handle, root = self._find(real)
        rest = real[len(root) :].lstrip("/")
        if not rest:
            return os.dup(handle)
        flags = os.O_PATH | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
        how = struct.pack("=QQQ", flags, 0, BENEATH)
        return libc.syscall(_number("openat2"), handle, os.fsencode(rest), how, len(how))

    def __contains__(self, path: str) -> bool:
        """Tell whether a path without links is below one of them."""
        try:
            return bool(self._find(path))
        except Refused:
            return False

    def _find(self, path: str) -> tuple[int, str]:
        """The innermost that holds it; what is hidden in that is not meant."""
        found = [(os.readlink(f"/proc/self/fd/{handle}"), handle) for handle in self._handles]
        root, handle = max((each for each in found if _within(path, each[0])), default=("", -1))
        if handle < 0 or any(_within(path, each) and _within(each, root) for each in self._hidden):
            raise Refused
        return handle, root


def _within(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip("/") + "/")


def _number(name: str) -> int:
    return CALLS[name][COLUMN[os.uname().machine]] or 0
