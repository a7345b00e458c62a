"""Forks a child for the process that started us, which is told of its end as of that of its own children."""

import os
import signal
import sys

from coderunner.sandbox.launcher import libc

CLONE = {"x86_64": 56, "aarch64": 220, "riscv64": 220, "loongarch64": 220, "ppc64le": 120}
"""The number of the call, which takes its flags first on these machines."""
PARENT = 0x8000
"""CLONE_PARENT, <linux/sched.h>: our parent is the child's, too."""


def available() -> bool:
    """Whether it can be done here."""
    known = sys.platform == "linux" and os.uname().machine in CLONE
    return known and hasattr(os, "pidfd_open") and sys.implementation.name == "cpython"


def clone() -> int:
    """Return the child's id, and in the child 0; raises OSError.

    The C library and Python do not know of it. So the caller has one thread; and the child does nothing but
    fork in their way, and wait.
    """
    return libc.syscall(CLONE[os.uname().machine], PARENT | signal.SIGCHLD, None, None, None, None)
