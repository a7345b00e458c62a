"""How a cell ends: what its last messages mean, and what ends a cell that does not end by itself."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from coderunner.errors import KernelError
from coderunner.kernel.execution.pending_request import (
    ANSWER,
    LOST,
    NO_REPLY,
    RESTARTED,
    Ending,
    Gone,
    PendingRequest,
)
from coderunner.kernel.execution.transport import Transport
from coderunner.kernel.protocol.messages import Stamp, kernel_info_request
from coderunner.outputs import Aftermath, Status

GRACE = (1.0, 3.0)
"""Seconds that an interrupt is given, and a second one: numpy's loops take half a second to notice one, and a
busy machine more until the kernel has told of it. Too early a restart costs the variables."""
INTERRUPT_TIMEOUT = 2.0
"""Seconds for the interrupt itself to be delivered."""
RESTART_TIMEOUT = 15.0
"""Seconds for a stuck kernel to be replaced: a server kills it after 5."""
REJOIN = 5.0
"""Seconds to hear over another connection of a cell that was told to stop when its own no longer worked."""
AFTERSHOCK = 1.0
"""Seconds after an interrupt that was not ours for a message that the kernel itself is ending."""

RAN_OUT: tuple[Ending, ...] = ("complete", "unreplied")
"""The endings of a cell that ran to its end."""
_REPLIED = {"ok": Status.OK, "error": Status.ERROR, "aborted": Status.ABORTED}

FLUSHED = "the kernel flushed it from its queue each time"
DROPPED = "the server dropped output; print less at once, or raise its limit ServerApp.{limit}"
UNHEARD = "output may be missing"
INCOMPLETE = "the connection was interrupted, so output may be missing"
RUNS_NO_MORE = "it is no longer running"
ASKED_LATE = "it asked for input after the reply had gone on; ask for input first, or raise the time limit"
INHERITED = "the kernel was restarted, so earlier variables are gone"
ENDED = Gone(Status.DIED, "The program ended its kernel.", keep=False)
ASKED_EXIT = "the program ended its kernel; all variables are gone"


class CellConclusion:
    """Ends the cells of one kernel. In the I/O thread's loop."""

    def __init__(
        self,
        transport: Transport,
        stamp: Callable[[], Stamp],
        give_up: Callable[[Gone], None],
        check: Callable[[], Awaitable[Gone | None]],
    ) -> None:
        """`give_up` is told why the kernel is no longer usable; `check` looks whether it is still there."""
        self._transport = transport
        self._stamp = stamp
        self._give_up = give_up
        self._check = check

    async def conclude(
        self, request: PendingRequest, ending: Ending, deadline: float
    ) -> tuple[Status, Aftermath, str]:
        """Tell how a cell ended, and end it where `ending` is no end yet; may take some seconds."""
        if ending is NO_REPLY:
            self._give_up(NO_REPLY)
            await self._replace(RESTART_TIMEOUT)
        if ending in RAN_OUT and request.execution.interrupted:
            # Not by us. A kernel that somebody shuts down or restarts may interrupt its cell first.
            ending = await self._aftershock(request) or ending
        if isinstance(ending, Gone):
            return _verdict(ending)
        if ending in RAN_OUT:
            return self._completed(request)
        if ending == "unanswered":
            return self._unanswered(request)
        aftermath = await self._stop(request)
        if request.execution.ending:
            self._give_up(ENDED)
        if aftermath is Aftermath.BUSY:
            self._give_up(LOST)
            return Status.LOST, aftermath, ""
        status = Status.INTERRUPTED if ending == "stopped" else Status.TIMEOUT
        unheard = ASKED_LATE if request.asks_in_vain else f"nobody answered within {ANSWER:g} s"
        details = {"overdue": limit(deadline), "unheard": unheard}
        said = [details.get(ending, ""), INCOMPLETE if request.cut and not request.gaps.whole else ""]
        return status, aftermath, "; ".join(filter(None, said))

    async def _aftershock(self, request: PendingRequest) -> Gone | None:
        until = time.monotonic() + AFTERSHOCK
        while (left := until - time.monotonic()) > 0:
            if isinstance(ending := await request.ended(left), Gone):
                return ending
        return await self._check()

    def _completed(self, request: PendingRequest) -> tuple[Status, Aftermath, str]:
        execution = request.execution
        interrupted = execution.reply == "aborted" and execution.interrupted
        replied = execution.reply or ("error" if execution.failed else "ok")
        status = Status.INTERRUPTED if interrupted else _REPLIED[replied]
        if execution.ending:
            self._give_up(ENDED)
            return status, Aftermath.FRESH, ASKED_EXIT
        # The kernel's first and last word on a cell: what lies between them came as well, or it was cut.
        heard = execution.started and execution.idle and not (self._transport.alone and request.gaps.gap)
        missing = "" if heard else UNHEARD
        if execution.dropped:
            missing = DROPPED.format(limit=execution.dropped)
        if request.cut and not (request.heard_out or request.gaps.whole):
            missing = INCOMPLETE
        said = [INHERITED if request.heir else "", FLUSHED if status is Status.ABORTED else missing]
        return status, Aftermath.READY, "; ".join(filter(None, said))

    def _unanswered(self, request: PendingRequest) -> tuple[Status, Aftermath, str]:
        """The kernel is at rest, and what became of the cell was said while the connection was lost."""
        if not request.answered_by:
            self._give_up(LOST)
            return _verdict(LOST)
        if request.process and request.process != request.answered_by:
            self._give_up(RESTARTED)
            return _verdict(RESTARTED)
        if request.execution.failed:
            return Status.ERROR, Aftermath.READY, INCOMPLETE
        return Status.LOST, Aftermath.READY, RUNS_NO_MORE

    async def _stop(self, request: PendingRequest) -> Aftermath:
        """Climb until the cell has ended: interrupt, again, restart. Tell what is left; BUSY: not known."""
        request.stopping = True
        for patience in GRACE:
            # Twice, because one that comes before the kernel has taken up the cell does nothing.
            reached = await bounded(self._transport.interrupt(), INTERRUPT_TIMEOUT)
            if request.away:
                return Aftermath.BUSY
            # An awaiting cell notices an interrupt only when a shell message comes after it.
            await self._transport.send(kernel_info_request(self._stamp()))
            left = self._left(request, await request.ended(patience))
            if left is None and not await self._transport.answers():
                # A kernel that heeded it may have said so over a connection that no longer works.
                left = self._left(request, await request.ended(REJOIN))
                left = Aftermath.BUSY if left is None and request.away else left
            if left is not None:
                return left
        restarted = await self._replace(RESTART_TIMEOUT if reached else INTERRUPT_TIMEOUT)
        self._give_up(Gone(Status.DIED, "The kernel was restarted.") if restarted else LOST)
        return Aftermath.FRESH if restarted else Aftermath.BUSY

    def _left(self, request: PendingRequest, ending: Ending | None) -> Aftermath | None:
        """What a cell that was told to stop has left; None: nobody knows that it ended."""
        if ending in RAN_OUT:
            return Aftermath.FRESH if request.execution.ending else Aftermath.READY
        if ending == "unanswered" and request.answered_by:
            return self._unanswered(request)[1]
        return _verdict(ending)[1] if isinstance(ending, Gone) else None

    async def _replace(self, within: float) -> bool:
        """End a kernel that no interrupt reaches; returns whether that was done."""
        return not self._transport.borrowed and await bounded(self._transport.restart(), within)


def _verdict(gone: Gone) -> tuple[Status, Aftermath, str]:
    aftermath = Aftermath.READY if gone.status is Status.LOST and gone.keep else Aftermath.FRESH
    return gone.status, aftermath, gone.detail


async def bounded(work: Coroutine[Any, Any, None], seconds: float) -> bool:
    """Do something that may hang or fail, where the next step helps; returns whether it was done."""
    with suppress(TimeoutError, OSError, RuntimeError, KernelError):
        async with asyncio.timeout(seconds):
            await work
        return True
    return False


def limit(seconds: float) -> str:
    """The limit of a cell, in words."""
    return f"the limit is {seconds:g} s"
