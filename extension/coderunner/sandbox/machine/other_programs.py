"""Whether another program of this machine is where code looked for one, and its person could reach it."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

TABLES = ("tcp", "tcp6", "udp", "udp6")
LISTENS = "0A"
"""The state of a TCP socket that waits for connections: <net/tcp_states.h>."""
LARGEST = 4_000_000
"""Bytes of a table that are read: 26,000 sockets."""


def listens(port: int) -> bool:
    """Whether a program listens on a port, TCP or UDP; False where the system does not tell."""
    return any(port == each for table in TABLES for each in _ports(table))


def _ports(table: str) -> Iterator[int]:
    """The local ports in one of Linux's tables of sockets: proc(5)."""
    with suppress(OSError), Path("/proc/net", table).open() as file:
        for line in file.read(LARGEST).splitlines()[1:]:
            fields = line.split()
            if len(fields) > 3 and (table.startswith("udp") or fields[3] == LISTENS):
                yield int(fields[1].rpartition(":")[2], 16)


def is_socket(path: Path) -> bool:
    """Whether a path is a Unix socket; False where its person may not look."""
    with suppress(OSError):
        return stat.S_ISSOCK(path.stat().st_mode)
    return False


def runs(process: int) -> bool:
    """Whether there is a process that this user may signal, and that is a program, not a part of Linux."""
    with suppress(OSError):
        os.kill(process, 0)
        return bool(Path(f"/proc/{process}/exe").readlink())
    return False
