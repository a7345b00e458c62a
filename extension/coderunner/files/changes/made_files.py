"""Which files a cell makes or changes in the folder of its kernel."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from coderunner.files.changes.comparison import NOTHING, Made
from coderunner.files.changes.local_changes import LocalChanges
from coderunner.outputs import Result

LONGEST = 0.3
"""Seconds that a cell waits at most for what there is before it, and its result for what is there then."""

REST = 300.0
"""Seconds without a cell after which a folder is forgotten: Linux has events of some 100 for a user."""


class MadeFiles(Protocol):
    """Compares a kernel's folder before and after a cell. In one loop; never raises."""

    def begin(self) -> Awaitable[object]:
        """Look what there is before a cell, beside all else; it may be sent when that is done."""

    async def end(self, result: Result) -> Result:
        """The result of a cell that has ended with what has changed since; nothing, if not known in time."""

    def close(self) -> None:
        """No cell follows."""


class Uncompared:
    """Where nobody looks but the kernel, whose word counts."""

    def begin(self) -> Awaitable[object]:
        """Nothing."""
        return _Done()

    async def end(self, result: Result) -> Result:
        """The same."""
        return result

    def close(self) -> None:
        """Nothing."""


UNCOMPARED = Uncompared()


class LocalFiles:
    """In a folder of this machine. A disk that does not answer holds up nobody."""

    def __init__(self, folder: Path, *, rest: float = REST) -> None:
        """`rest`: seconds without a cell after which the folder is forgotten until the next one."""
        self._folder, self._seconds = folder, rest
        self._changes = LocalChanges(folder)
        self._work: asyncio.Future[object] | None = None
        self._rest: asyncio.TimerHandle | None = None

    def begin(self) -> Awaitable[object]:
        """Take the folder as it is now: what has changed until now is no cell's work."""
        if self._rest is not None:
            self._rest.cancel()
        return _Done() if self._still else asyncio.ensure_future(self._bounded(self._changes.settle))

    async def end(self, result: Result) -> Result:
        """Compare it with that."""
        found = None if self._still else await self._bounded(self._changes.take)
        made = found if isinstance(found, Made) else NOTHING
        self._rest = asyncio.get_running_loop().call_later(self._seconds, self.close)
        return replace(result, files=made.files, more_files=made.more)

    def close(self) -> None:
        """Forget it, until the next cell."""
        if self._rest is not None:
            self._rest.cancel()
        changes, self._changes = self._changes, LocalChanges(self._folder)
        if self._work is None or self._work.done():
            changes.close()
        else:
            self._work.add_done_callback(lambda _: changes.close())

    @property
    def _idle(self) -> bool:
        return self._work is None or self._work.done()

    @property
    def _still(self) -> bool:
        """Nothing has changed, as Linux says; elsewhere nobody does."""
        return self._idle and self._changes.still

    async def _bounded(self, function: Callable[[], object]) -> object:
        """Call it in a thread; None where it does not end in time."""
        if not self._idle:
            return None
        self._work = work = asyncio.ensure_future(asyncio.to_thread(function))
        done, _ = await asyncio.wait((work,), timeout=LONGEST)
        if done and work.exception() is None:
            return work.result()
        # What comes late is of another moment than was asked for: begin anew.
        late, self._changes = self._changes, LocalChanges(self._folder)
        work.add_done_callback(lambda _: late.close())
        return None


class _Done:
    """Nothing is left to do; nobody need await it."""

    def __await__(self) -> Generator[None, None, None]:
        yield from ()
