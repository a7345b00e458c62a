"""Gives conversations the right to a kernel of this machine. All of it lives in the I/O thread's loop."""

import asyncio
import time
from contextlib import suppress
from typing import Protocol

from coderunner.errors import KernelNotStarted, NoRoom
from coderunner.kernel.background_tasks import begin
from coderunner.kernel.room import machine_memory
from coderunner.kernel.room.capacity import Capacity
from coderunner.kernel.room.choice import Admit, LetGo, Seat, Waiting, decide, first_of, in_use, said

LOOK = 0.1
"""Seconds between two looks of those that wait: what they wait for has many ways to end."""
RELIEF = 5.0
"""Seconds between two looks at the machine's memory while there are kernels."""
BREAK = 60.0
"""Seconds of rest in which no kernel is let go for memory alone: its model may be writing the next block."""


class Status(Protocol):
    """How its kernel is."""

    @property
    def state(self) -> str:
        """As a `KernelStatus` has it."""


class Occupant(Protocol):
    """The session of a conversation."""

    @property
    def conversation(self) -> str:
        """Its name."""

    @property
    def owner(self) -> str:
        """Whose it is."""

    @property
    def used(self) -> float:
        """When its kernel was last used, by `time.monotonic()`."""

    @property
    def status(self) -> "Status":
        """How its kernel is."""

    @property
    def busy(self) -> bool:
        """A cell runs or waits."""

    @property
    def wanted(self) -> bool:
        """A cell has come that has not ended: its kernel is not started for what may come."""

    @property
    def live(self) -> bool:
        """It has a kernel, or one is being started."""

    def waits(self, sentence: str) -> None:
        """A sentence says what it waits for; empty: for nothing any more."""

    async def rest(self) -> None:
        """Let its kernel go, once no cell runs or waits."""


class Room:
    """All kernels of this machine that one registry has."""

    def __init__(self, capacity: Capacity) -> None:
        self._capacity = capacity
        self._limits = {"most": capacity.kernels, "each": capacity.each}
        self._taken: dict[str, Occupant] = {}
        self._waiting: dict[str, Waiting] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def full(self) -> bool:
        """A kernel more would have to wait, or another one would have to go."""
        return len(self._seats("")) >= self._capacity.kernels or self._short

    async def admit(self, newcomer: Occupant) -> None:
        """Return when the conversation may have a kernel; another one that rests may have been let go.

        One that has had its kernel up to now does not wait. One that is not wanted neither waits nor takes
        the place of another: raises NoRoom, also where what wanted it has ended meanwhile. Raises
        KernelNotStarted where all are in use for as long as one waits.
        """
        name = newcomer.conversation
        self._prune()
        one = Waiting(name, newcomer.owner, time.monotonic())
        if name not in self._taken:
            self._waiting[name] = one
        try:
            while not await self._enters(one, newcomer):
                seats, now = self._seats(name), time.monotonic()
                if not newcomer.wanted:
                    raise NoRoom(in_use(seats, one.owner, **self._limits))
                if now - one.since >= self._capacity.wait:
                    words = in_use(seats, one.owner, **self._limits)
                    waited = f"none has become free within {self._capacity.wait:g} s"
                    raise KernelNotStarted(f"{words}, and {waited}: stop one, or try again")
                newcomer.waits(said(list(self._waiting.values()), one, seats, **self._limits, now=now))
                await asyncio.sleep(LOOK)
        finally:
            if self._waiting.get(name) is one:
                del self._waiting[name]
        newcomer.waits("")
        self._taken[name] = newcomer
        if not self._tasks:
            begin("nobody looks how much memory is left", self._relieve(), self._tasks)

    async def _enters(self, one: Waiting, newcomer: Occupant) -> bool:
        waits = one.conversation in self._waiting
        while True:
            seats, now = self._seats(one.conversation), time.monotonic()
            if waits and first_of(list(self._waiting.values()), seats)[0] is not one:
                return False
            match decide(seats, one.owner, **self._limits, short=self._short, now=now):
                case Admit():
                    return True
                case LetGo(seat) if newcomer.wanted:
                    await self._taken[seat.conversation].rest()
                case _:
                    return not waits

    def _seats(self, but: str) -> list[Seat]:
        self._prune()
        return [
            Seat(name, each.owner, each.used, each.status.state == "idle" and not each.busy)
            for name, each in self._taken.items()
            if name != but
        ]

    def _prune(self) -> None:
        for name in [name for name, each in self._taken.items() if not each.live]:
            del self._taken[name]

    @property
    def _short(self) -> bool:
        return machine_memory.available() < self._capacity.reserve

    async def _relieve(self) -> None:
        """Let kernels that rest go while memory is short, also what others have taken."""
        while True:
            await asyncio.sleep(RELIEF)
            before = time.monotonic() - BREAK
            idle = [seat for seat in self._seats("") if seat.resting and seat.used <= before]
            if not self._taken:
                return
            if idle and self._short:
                await self._taken[min(idle, key=lambda seat: seat.used).conversation].rest()

    async def close(self) -> None:
        """Look after nothing any more."""
        for task in tuple(self._tasks):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks, return_exceptions=True)
