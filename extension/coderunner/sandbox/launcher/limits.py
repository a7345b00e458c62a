"""Limits of each process of a kernel; those of all together are watched from outside."""

from __future__ import annotations

import os
import resource

TYPE_CHECKING = False
if TYPE_CHECKING:  # the import of typing takes as long as all the rest
    from collections.abc import Mapping
    from typing import Any


OF_ITSELF, OF_A_THREAD = 256_000_000, 64_000_000
"""Bytes that an interpreter and its libraries ask for and hardly use, and those of a thread of OpenBLAS."""


def apply(policy: Mapping[str, Any]) -> None:
    """Limit this process, and each that it will start, for good; raises OSError.

    Over `memory`, a program gets a MemoryError: its variables stay. What counts is what it asked for to write
    into, whether it did or not; so each processor's thread may have its stack and buffers beside that, as
    numerical libraries lay them out when they are loaded. Over `file`, writing fails.
    """
    _lower(resource.RLIMIT_CORE, 0)
    if policy["memory"]:
        _lower(resource.RLIMIT_DATA, policy["memory"] + OF_ITSELF + OF_A_THREAD * (os.cpu_count() or 1))
    if policy["file"]:
        _lower(resource.RLIMIT_FSIZE, policy["file"])
    if policy["processes"] and os.geteuid() != 0:
        # Linux counts all of the user's, not ours alone; for root it does not count.
        counted = policy["tasks"] if "tasks" in policy else tasks_of_user()
        _lower(resource.RLIMIT_NPROC, counted + policy["processes"])


def _lower(limit: int, value: int) -> None:
    _, most = resource.getrlimit(limit)
    value = value if most == resource.RLIM_INFINITY else min(value, most)
    resource.setrlimit(limit, (value, value))


def tasks_of_user() -> int:
    """Count the threads of this user that can be seen from here; on a busy machine it takes milliseconds."""
    count, user = 0, os.getuid()
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.stat(f"/proc/{name}").st_uid == user:
                    count += len(os.listdir(f"/proc/{name}/task"))
            except OSError:
                continue
    return count
