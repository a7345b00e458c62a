"""A filter of system calls: refuses what Landlock does not know of, with an error and never with an end.

Linux asks it at each system call. It sees numbers only; what takes a look at a path or an address is put to
`broker`, where there is one.
"""

from __future__ import annotations

import errno
import os
import struct

from coderunner.sandbox.launcher.call_filter.call_numbers import CALLS, COLUMN

AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""How the filter is told of a machine: <linux/audit.h>."""
X32 = 0x40000000
"""Set in the numbers of x86_64's calls with short pointers: another table of calls, which nobody uses."""

ALLOW, ASK = 0x7FFF0000, 0x7FC00000
_FAIL = 0x00050000
PERMISSION, OPERATION, UNKNOWN, NO_FAMILY = (
    _FAIL | each for each in (errno.EACCES, errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT)
)

NEW_NAMESPACES = 0x7E020000
NEW_TIME_NAMESPACE = 0x80
UNIX, IPV4, IPV6, NETLINK = 1, 2, 10, 16
ROUTES = 0
"""Netlink's own list of interfaces and addresses: libraries end the program where they cannot have it."""
STREAM, PACKETS = 1, 5
KIND = 0xF
"""The part of a socket's type that is no flag."""
TCP = 6
OPENS_CONNECTION = 0x20000000
"""The flag of a send that connects first."""
PUSH_INPUT, CONSOLE, OPEN_TERMINAL = 0x5412, 0x541C, 0x5441
"""TIOCSTI, TIOCLINUX, TIOCGPTPEER: all of <asm-generic/ioctls.h>."""


# `typing` and `dataclasses` take longer to import than all else here to run: so these are plain classes.


class Where:
    """A condition on an argument: its low half, masked, is (or is not) the value."""

    def __init__(self, argument: int, value: int, mask: int = 0xFFFFFFFF, *, holds: bool = True) -> None:
        self.argument, self.value, self.mask, self.holds = argument, value, mask, holds


class Rule:
    """What happens to a call where all conditions hold; the first rule that fits counts."""

    def __init__(self, call: str, action: int, *where: Where) -> None:
        self.call, self.action, self.where = call, action, where


def _has(argument: int, bits: int) -> Where:
    return Where(argument, 0, bits, holds=False)


def _sockets() -> list[Rule]:
    return [
        *(
            Rule(call, ALLOW, Where(0, UNIX), Where(1, kind, KIND))
            for call in ("socket", "socketpair")
            for kind in (STREAM, PACKETS)
        ),
        *(
            Rule("socket", ALLOW, Where(0, family), Where(1, STREAM, KIND), Where(2, protocol))
            for family in (IPV4, IPV6)
            for protocol in (0, TCP)
        ),
        Rule("socket", ALLOW, Where(0, NETLINK), Where(2, ROUTES)),
        Rule("socket", PERMISSION),
        Rule("socketpair", PERMISSION),
    ]


SET_ID = 0o6000
"""S_ISUID and S_ISGID: whoever starts such a program runs it as its owner, or in its group."""
MAKES_FILE, MAKES_NAMELESS = os.O_CREAT, 0x400000
"""O_CREAT, and __O_TMPFILE."""

BORN_SET_ID = (
    *(
        Rule(call, OPERATION, _has(flags, makes), _has(flags + 1, SET_ID))
        for call, flags in (("open", 1), ("openat", 2))
        for makes in (MAKES_FILE, MAKES_NAMELESS)
    ),
    *(
        Rule(call, OPERATION, _has(mode, SET_ID))
        for call, mode in (("creat", 1), ("mknod", 1), ("mknodat", 2))
    ),
    # Its mode lies where no filter looks; programs then use openat.
    Rule("openat2", UNKNOWN),
)
"""A file that code makes is the person's, outside of the sandbox, too: none is born a set-id program."""

BECOME_SET_ID = tuple(
    Rule(call, OPERATION, _has(mode, SET_ID))
    for call, mode in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("fchmodat2", 2))
)
"""Nor becomes one. A broker leaves the bits out instead."""

KEYS = ("keyctl", "add_key", "request_key")
"""The keyrings of Linux, of which the person's are open to all of their programs."""

REFUSED = (
    # other processes of this user, and their secrets
    "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", *KEYS,
    # shared memory and queues that all programs of the machine see by number or name
    "shmget", "shmat", "msgget", "msgsnd", "msgrcv", "semget", "semop", "semtimedop", "mq_open", "mq_unlink",
    # files by another way than their path
    "open_by_handle_at", "fanotify_init", "setxattr", "lsetxattr", "fsetxattr", "setxattrat", "removexattr",
    "lremovexattr", "fremovexattr", "removexattrat", "file_setattr", "utime", "utimes", "futimesat",
    # calls that no filter sees
    "io_uring_setup", "io_uring_enter", "io_uring_register",
    # the system
    "setns", "mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "open_tree_attr",
    "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "bpf", "perf_event_open", "userfaultfd",
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "swapon", "swapoff",
    "reboot",
    "settimeofday", "clock_settime", "acct", "quotactl", "quotactl_fd", "syslog", "sethostname",
    "setdomainname", "iopl", "ioperm", "vhangup", "lookup_dcookie",
)  # fmt: skip

RULES = (
    # First what is called most.
    Rule("ioctl", OPERATION, Where(1, PUSH_INPUT)),
    Rule("ioctl", OPERATION, Where(1, CONSOLE)),
    Rule("sendmsg", OPERATION, _has(2, OPENS_CONNECTION)),
    Rule("sendto", OPERATION, _has(3, OPENS_CONNECTION)),
    Rule("sendmmsg", OPERATION, _has(3, OPENS_CONNECTION)),
    Rule("clone", OPERATION, _has(0, NEW_NAMESPACES)),
    Rule("unshare", OPERATION, _has(0, NEW_NAMESPACES | NEW_TIME_NAMESPACE)),
    # Its flags lie where no filter looks; the C library then uses clone.
    Rule("clone3", UNKNOWN),
    # The limits of another process; 0 is the own one.
    Rule("prlimit64", OPERATION, _has(0, 0xFFFFFFFF)),
    *_sockets(),
    *(Rule(call, OPERATION) for call in REFUSED),
)

IN_NAMESPACES = (
    *BORN_SET_ID,
    *BECOME_SET_ID,
    # A network namespace does not hold other families: AF_VSOCK leads to the machine around a virtual one.
    *(Rule("socket", ALLOW, Where(0, family)) for family in (UNIX, IPV4, IPV6, NETLINK)),
    Rule("socket", NO_FAMILY),
    # Another way to a socket, which no filter sees.
    *(Rule(call, OPERATION) for call in ("io_uring_setup", "io_uring_enter", "io_uring_register")),
    # No namespace holds them.
    *(Rule(call, OPERATION) for call in KEYS),
)
"""What is left to refuse where namespaces do the rest."""

ASKED = (
    *BORN_SET_ID,
    Rule("ioctl", ASK, Where(1, OPEN_TERMINAL)),
    *(
        Rule(call, ASK)
        for call in (
            "connect", "listen", "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown",
            "fchownat", "utimensat", "inotify_add_watch", "link", "linkat", "unlink", "unlinkat",
        )
    ),
    # How the C library opens shared memory, and few others open anything.
    Rule("openat", ASK, _has(2, os.O_NOFOLLOW)),
    Rule("openat", ASK, Where(2, os.O_CREAT | os.O_EXCL, os.O_CREAT | os.O_EXCL)),
)  # fmt: skip
"""What a broker decides."""

_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16


def program(rules: tuple[Rule, ...], machine: str) -> bytes:
    """Return the filter as Linux takes it: <linux/bpf_common.h>, <linux/seccomp.h>."""
    refuse = _step(_RETURN, OPERATION)
    code = [_step(_LOAD, _MACHINE), _step(_EQUAL, AUDIT[machine], 1, 0), refuse]
    code += [_step(_LOAD, _NUMBER), _step(_AT_LEAST, X32, 0, 1), refuse]
    for rule in rules:
        number = CALLS[rule.call][COLUMN[machine]]
        if number is not None:
            code += _steps(rule, number)
    return b"".join([*code, _step(_RETURN, ALLOW)])


def _steps(rule: Rule, number: int) -> list[bytes]:
    """The steps of one rule; where it does not fit, the next one begins."""
    tail = [_step(_RETURN, rule.action)]
    for each in reversed(rule.where):
        past = len(tail)
        jump = _step(_EQUAL, each.value, *((0, past) if each.holds else (past, 0)))
        tail = [_step(_LOAD, _ARGUMENTS + 8 * each.argument), _step(_AND, each.mask), jump, *tail]
    return [_step(_LOAD, _NUMBER), _step(_EQUAL, number, 0, len(tail)), *tail]


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)
