"""Who owns runs, and whether they still live.

On one machine the system knows. Of a process on another machine we know only that its heartbeat grows, and
we measure by our own monotonic clock how long it has not: two clocks are never compared, so neither one that
is wrong nor one that jumps takes a run away from a process that lives. Where we could not look for a while,
the others could perhaps not write there either: then each of them has a whole lease from now on.
"""

import os
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, select, update

from coderunner.records.database.schema import OWNERS

LEASE = 30.0
"""Seconds without a heartbeat after which a process elsewhere counts as gone; a beat comes every five."""


@dataclass(frozen=True, slots=True)
class LeaseHolder:
    """A process, or a replica in one."""

    id: str
    machine: str
    process: str
    """Its number, and when it started: numbers are used again."""

    @classmethod
    def me(cls) -> "LeaseHolder":
        """The owner that this process is."""
        return cls(uuid4().hex, machine(), process(os.getpid()) or str(os.getpid()))


class Leases:
    """The processes that this one knows of; may be used from any thread."""

    def __init__(
        self, me: LeaseHolder, *, lease: float = LEASE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.me = me
        self._lease = lease
        self._clock = clock
        self._seen: dict[str, tuple[int, float, float]] = {}
        """By process: its last beat, since when it has been that one, and when we looked."""

    def beat(self, connection: Connection) -> None:
        """Say that we live."""
        mine = OWNERS.c.id == self.me.id
        if not connection.execute(update(OWNERS).where(mine).values(beat=OWNERS.c.beat + 1)).rowcount:
            row = {"id": self.me.id, "machine": self.me.machine, "process": self.me.process, "beat": 0}
            connection.execute(insert(OWNERS).values(row))

    def leave(self, connection: Connection, owner: str | None = None) -> None:
        """Say that we, or another one, are gone."""
        connection.execute(delete(OWNERS).where(OWNERS.c.id == (owner or self.me.id)))

    def bury(self, connection: Connection) -> None:
        """Forget those who are gone without having said so."""
        for owner in connection.scalars(select(OWNERS.c.id)).all():
            if not self.alive(connection, owner):
                self.leave(connection, owner)

    def alive(self, connection: Connection, owner: str) -> bool:
        """Return whether a process lives; one that left, or that never said it was there, does not."""
        if owner == self.me.id:
            return True
        row = connection.execute(select(OWNERS).where(OWNERS.c.id == owner)).first()
        if row is None:
            return False
        if row.machine == self.me.machine and row.machine:
            return process(int(row.process.partition("@")[0])) == str(row.process)
        now, (beat, since, looked) = self._clock(), self._seen.get(owner, (-1, 0.0, 0.0))
        if row.beat != beat or now - looked > self._lease / 2:
            since = now
        self._seen[owner] = (row.beat, since, now)
        return now - since < self._lease


def machine() -> str:
    """What no other machine, container or start of this one is called; empty where that cannot be told."""
    if sys.platform != "linux":
        return ""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{socket.gethostname()} {boot} {Path('/proc/self/ns/pid').readlink()}"


def process(number: int) -> str | None:
    """Number and start of a process of this machine; None where there is none that works."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # proc(5): the name, in brackets, may hold anything; then come the state and, as 22nd, the start.
    state, *rest = fields.rpartition(")")[2].split()
    return None if state in "ZX" else f"{number}@{rest[18]}"
