"""The filter of system calls, step by step as Linux takes it."""

import errno
import os
import struct

import pytest

from coderunner.sandbox.launcher.call_filter.call_numbers import CALLS, COLUMN
from coderunner.sandbox.launcher.call_filter.seccomp import (
    ALLOW,
    ASK,
    ASKED,
    AUDIT,
    IN_NAMESPACES,
    RULES,
    X32,
    program,
)
from tests.behaviours import behaviour

FAIL = 0x00050000
NEW_USER = 0x10000000
THREAD = 0x3D0F00
"""What a C library starts a thread with."""


def verdict(code: bytes, machine: int, number: int, arguments: tuple[int, ...] = ()) -> int:
    """What a filter answers: <linux/filter.h>, as much of it as the filter uses."""
    data = struct.pack("=IIQ6Q", number, machine, 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    steps = [struct.unpack_from("=HBBI", code, at) for at in range(0, len(code), 8)]
    held, at = 0, 0
    while True:
        kind, yes, no, value = steps[at]
        at += 1
        match kind:
            case 0x20:
                held = int(struct.unpack_from("=I", data, value)[0])
            case 0x54:
                held &= value
            case 0x15:
                at += yes if held == value else no
            case 0x35:
                at += yes if held >= value else no
            case 0x06:
                return int(value)
            case _:
                raise AssertionError(kind)


def asked(machine: str, call: str, *arguments: int, broker: bool = True) -> int:
    number = CALLS[call][COLUMN[machine]]
    assert number is not None
    rules = (*ASKED, *RULES) if broker else RULES
    return verdict(program(rules, machine), AUDIT[machine], number, arguments)


@behaviour("sandbox:landlock:calls")
@pytest.mark.parametrize("machine", COLUMN)
@pytest.mark.parametrize(
    ("call", "arguments", "answer"),
    [
        ("socket", (1, 1, 0), ALLOW),
        ("socket", (1, 1 | os.O_CLOEXEC | os.O_NONBLOCK, 0), ALLOW),
        ("socket", (2, 1, 6), ALLOW),
        ("socket", (10, 1 | os.O_CLOEXEC, 0), ALLOW),
        ("socket", (2, 2, 0), FAIL | errno.EACCES),
        ("socket", (2, 3, 1), FAIL | errno.EACCES),
        ("socket", (2, 1, 262), FAIL | errno.EACCES),
        ("socket", (1, 2, 0), FAIL | errno.EACCES),
        ("socket", (16, 3, 0), ALLOW),
        ("socket", (16, 3, 4), FAIL | errno.EACCES),
        ("socket", (40, 1, 0), FAIL | errno.EACCES),
        ("socketpair", (1, 1, 0), ALLOW),
        ("socketpair", (1, 2, 0), FAIL | errno.EACCES),
        ("sendto", (3, 0, 5, 0x4000), ALLOW),
        ("ioctl", (1, 0x5413, 0), ALLOW),
        ("ioctl", (1, 0x5412, 0), FAIL | errno.EPERM),
        ("openat", (0, 0, os.O_CREAT, 0o755), ALLOW),
        ("openat", (0, 0, os.O_CREAT, 0o4755), FAIL | errno.EPERM),
        ("openat", (0, 0, os.O_CREAT | os.O_EXCL, 0o2755), FAIL | errno.EPERM),
        ("openat", (0, 0, os.O_RDONLY, 0o4755), ALLOW),
        ("mknodat", (0, 0, 0o104755), FAIL | errno.EPERM),
        ("openat2", (0, 0, 0, 24), FAIL | errno.ENOSYS),
        ("clone", (THREAD,), ALLOW),
        ("clone", (NEW_USER | 17,), FAIL | errno.EPERM),
        ("clone3", (), FAIL | errno.ENOSYS),
        ("unshare", (0x400,), ALLOW),
        ("unshare", (NEW_USER,), FAIL | errno.EPERM),
        ("prlimit64", (0, 7), ALLOW),
        ("prlimit64", (os.getpid(), 7), FAIL | errno.EPERM),
        ("ptrace", (16,), FAIL | errno.EPERM),
        ("bpf", (), FAIL | errno.EPERM),
        ("io_uring_setup", (), FAIL | errno.EPERM),
        ("connect", (3, 0, 16), ASK),
        ("openat", (0, 0, os.O_RDONLY | os.O_CLOEXEC), ALLOW),
        ("openat", (0, 0, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), ALLOW),
        ("openat", (0, 0, os.O_RDWR | os.O_CREAT | os.O_EXCL), ASK),
    ],
)
def test_a_call_is_allowed_refused_or_asked_about_by_its_arguments(
    machine: str, call: str, arguments: tuple[int, ...], answer: int
) -> None:
    assert asked(machine, call, *arguments) == answer


@behaviour("sandbox:namespaces:families")
@pytest.mark.parametrize("machine", COLUMN)
@pytest.mark.parametrize(
    ("call", "arguments", "answer"),
    [
        *(("socket", (family, 1, 0), ALLOW) for family in (1, 2, 10, 16)),
        ("socket", (2, 2, 17), ALLOW),
        *(("socket", (family, 1, 0), FAIL | errno.EAFNOSUPPORT) for family in (17, 30, 38, 40, 42)),
        ("socketpair", (1, 1, 0), ALLOW),
        ("io_uring_setup", (), FAIL | errno.EPERM),
        ("ptrace", (16,), ALLOW),
        ("connect", (3, 0, 16), ALLOW),
    ],
)
def test_in_namespaces_sockets_of_families_are_refused_that_a_namespace_does_not_hold(
    machine: str, call: str, arguments: tuple[int, ...], answer: int
) -> None:
    number = CALLS[call][COLUMN[machine]]
    assert number is not None
    assert verdict(program(IN_NAMESPACES, machine), AUDIT[machine], number, arguments) == answer


@behaviour("sandbox:namespaces:owners")
@pytest.mark.parametrize("machine", COLUMN)
@pytest.mark.parametrize(
    ("call", "arguments", "answer"),
    [
        ("fchmod", (3, 0o755), ALLOW),
        ("fchmod", (3, 0o4755), FAIL | errno.EPERM),
        ("fchmodat", (0, 0, 0o2755), FAIL | errno.EPERM),
        ("fchmodat2", (0, 0, 0o6755), FAIL | errno.EPERM),
        ("openat", (0, 0, os.O_CREAT, 0o4755), FAIL | errno.EPERM),
        ("keyctl", (0,), FAIL | errno.EPERM),
    ],
)
def test_in_namespaces_no_file_becomes_a_set_id_program_and_no_keyring_is_reached(
    machine: str, call: str, arguments: tuple[int, ...], answer: int
) -> None:
    number = CALLS[call][COLUMN[machine]]
    assert number is not None
    assert verdict(program(IN_NAMESPACES, machine), AUDIT[machine], number, arguments) == answer


@behaviour("sandbox:landlock:calls")
@pytest.mark.parametrize("machine", COLUMN)
def test_a_call_by_another_table_of_numbers_is_refused(machine: str) -> None:
    code = program(RULES, machine)
    others = 0x40000003
    assert verdict(code, others, 1) == FAIL | errno.EPERM
    assert verdict(code, AUDIT[machine], X32 | 1) == FAIL | errno.EPERM
    assert verdict(code, AUDIT[machine], 1) == ALLOW


@behaviour("sandbox:landlock:calls")
@pytest.mark.parametrize("machine", COLUMN)
def test_no_call_ends_the_program_that_makes_it(machine: str) -> None:
    code = program((*ASKED, *RULES), machine)
    answers = {verdict(code, AUDIT[machine], number) for number in range(600)}
    assert answers <= {ALLOW, ASK, *(FAIL | each for each in (errno.EACCES, errno.EPERM, errno.ENOSYS))}
