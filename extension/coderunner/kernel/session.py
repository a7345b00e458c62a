"""One conversation's kernel: started when it is needed, replaced when it is gone, one cell at a time.

Everything here runs in the portal's loop; the methods that a host calls may be called from anywhere.
"""

import asyncio
import logging
import time
import uuid
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from coderunner.errors import CodeRunnerError, KernelNotStarted, RecordsUnavailable
from coderunner.kernel.client import KernelClient
from coderunner.kernel.comms import Comms
from coderunner.kernel.flight import Detach, OnQuestion
from coderunner.kernel.later import Later
from coderunner.kernel.light import Light, State
from coderunner.kernel.panel import Panel
from coderunner.kernel.portal import Portal
from coderunner.kernel.recall import Recalled
from coderunner.kernel.running import OnOutput, Queued, Running
from coderunner.kernel.transport import Opener, Transport
from coderunner.kernel.where import Where
from coderunner.outputs import Aftermath, Output, Result, Status

KEPT_ERROR = 5.0
"""Seconds for which the error of a start in the background is also the answer to the next cell, where it took
`LONG` to find out. What is found out sooner is tried again: the server may be there by then."""
LONG = 1.0
NODDED_OFF = 2.0
"""Seconds of silence after which warming a kernel means to look whether it is still there."""
DOZED_OFF = 20.0
"""Seconds of silence after which we look before we send it a cell: it costs a server's answer."""
SEEK = (0.0, 1.0, 5.0)
"""Seconds before each look for a kernel that lives still: a server may be slow, or come up after us."""

REPLACED = "the kernel was new: variables from before are gone"
RESTARTED = "the kernel was restarted: variables from before are gone"
CLOSED = "the kernel of this conversation was closed"
NEVER_SENT = "it had not begun to run"
TAKEN_OVER = "somebody else had it in hand by then"


class Session:
    """Binds a conversation to a kernel of its own."""

    def __init__(
        self, conversation: str, where: Where, opener: Opener, portal: Portal, *, idle: float, most: int = 0
    ) -> None:
        """`most`: bytes of memory that its kernel may hold after a cell; 0: no limit."""
        self.conversation = conversation
        self.where = where
        self.portal = portal
        self.light = Light("none", where.kernel_name, time.monotonic())
        self.used = time.monotonic()
        """When it was last used, by `time.monotonic()`."""
        self._open = opener
        self._idle = idle
        self._most = most
        self._client: KernelClient | None = None
        self._opening: asyncio.Task[KernelClient] | None = None
        self._finding: asyncio.Task[None] | None = None
        """Looks for a kernel that is there, and starts none."""
        self._failed = 0.0
        """Until when the error of a start is kept, by `time.monotonic()`."""
        self._notice = ""
        self._ran = False
        """The kernel may hold variables of ours."""
        self._counted = 0
        """The execution count that an earlier process left; 0: none did, or it is known what became of it."""
        self._process = ""
        self._turnstile = asyncio.Lock()
        self._current: Queued | None = None
        self._late: deque[Result] = deque()
        self._later = Later()
        self._comms = Comms(portal.post)
        self._cull: asyncio.TimerHandle | None = None
        self._farewells: set[asyncio.Task[None]] = set()
        self._closed = False

    # --- what hosts call --------------------------------------------------------------------------

    def warm(self) -> None:
        """Have the kernel started in the background; returns at once.

        What goes wrong is told by the next cell.
        """
        self.portal.post(self._warm)

    async def execute(
        self, source: str, *, deadline: float = 30.0, on_output: OnOutput | None = None
    ) -> Result:
        """Run a cell; what goes wrong with the kernel is a status of the result, never an exception.

        May be awaited in any loop. `on_output` is called in the portal's thread, at most 20 times a second,
        with what changed. Cells of one session run one after the other, in the order of the calls. Cancelling
        stops the cell.
        """
        return await self.portal.run(self._queue(Queued(source, deadline, on_output)))

    def begin(
        self,
        source: str,
        *,
        deadline: float = 30.0,
        limit: float = 0.0,
        on_output: OnOutput | None = None,
        on_question: OnQuestion | None = None,
        on_send: Callable[[str], bool] | None = None,
        on_later: OnOutput | None = None,
        panel: Panel | None = None,
    ) -> Running:
        """Run a cell in the background: `execute` for hosts without a loop.

        With a `limit` beyond the deadline the cell goes on after it, up to that many seconds: cells that
        come meanwhile wait in line, and `take_late` gives its result when it has ended.

        Where `on_question` is given the program may ask a person; after its deadline that of `Running.listen`
        counts. It is called in the portal's thread with the question, whose time does not count, and with
        None when that is answered or withdrawn. Elsewhere `input()` raises at once.

        `on_send` is called in a thread when the kernel is ready, with the id of the request, right before the
        cell is sent; where it gives False, or raises CodeRunnerError, it is not.

        `on_later` is called in the portal's thread with what threads and tasks of the cell show after its
        end: a list of outputs of its own, bounded.

        `panel` gets the widgets that the cell shows.
        """
        queued = Queued(
            source, deadline, on_question=on_question, on_send=on_send, on_later=on_later, panel=panel
        )
        running = Running(self.portal, queued, on_output)
        if limit > deadline:
            running.cell.detach = Detach(limit, running.overdue)
        return running.follow(self.portal.submit(self._run_to_its_end(running)))

    def panel(self, request: str) -> Panel | None:
        """Give the widgets that the run of a request shows, while the kernel has them."""
        return self._comms.panel(request)

    def recall(self, panel: Recalled, on_later: OnOutput, outputs: Sequence[Output]) -> Panel:
        """Have the widgets of a run of an earlier process live again once the kernel is found.

        Gives the panel that the run has by then. `on_later` is told what it shows from now on, as `begin` has
        it; `outputs` are those of its result.
        """
        known = self._comms.recall(panel)
        if known is panel:
            self.portal.post(self._later.expect, panel.request, on_later, outputs)
        return known

    def look(self) -> None:
        """Look in the background whether a kernel of an earlier process is there still; starts none."""
        self.portal.post(self._find)

    def take_late(self) -> list[Result]:
        """Give the results of cells that ended after their deadline, each of them once, in their order."""
        late = []
        with suppress(IndexError):
            while True:
                late.append(self._late.popleft())
        return late

    def take_afterwards(self, *, newest: bool = True) -> list[tuple[Output, ...]]:
        """Give what cells that were begun with `on_later` have shown after their end, each of it once.

        The outputs of each cell are a list of their own, in the order of the cells. Without `newest`, those
        of the cell that ended last are left for the next call.
        """
        return self._later.take(newest=newest)

    def resume(self, count: int = 0) -> None:
        """Take note that an earlier process ran cells here, the last of them with that execution count.

        A kernel that is not found has lost variables, and so has one that has not counted on from there.
        """
        self._ran, self._counted = True, count

    async def interrupt(self) -> bool:
        """Stop the cell that runs; False where none does."""
        return await self.portal.run(self._interrupt())

    async def restart(self) -> None:
        """Empty the kernel; a cell that runs ends as `replaced`."""
        await self.portal.run(self._restart())

    async def close(self) -> None:
        """End the kernel; a cell that runs ends as `replaced`, later ones are refused."""
        await self.portal.run(self.end())

    @property
    def live(self) -> bool:
        """It has a kernel, or one is being started."""
        return self.light.state in ("starting", "idle", "busy")

    @property
    def busy(self) -> bool:
        """A cell runs or waits."""
        return self._current is not None or self._turnstile.locked()

    # --- one cell ---------------------------------------------------------------------------------

    def take_over(self, earlier: "Session") -> None:
        """Give what `earlier` still had to give."""
        self._late = earlier._late
        self._later.take_over(earlier._later)

    async def _run_to_its_end(self, running: Running) -> Result:
        result = await self._queue(running.cell)
        if running.future.done():
            # Before anybody hears of the end, so that whoever does finds it here.
            self._late.append(result)
        return result

    async def _queue(self, cell: Queued) -> Result:
        cell.task = asyncio.current_task()
        if cell.stopped:
            return Result(status=Status.INTERRUPTED, detail=NEVER_SENT)
        try:
            async with self._turnstile:
                return await self._run(cell)
        except asyncio.CancelledError:
            if not cell.stopped or cell.task is None:
                raise
            cell.task.uncancel()
            return Result(status=Status.INTERRUPTED, detail=NEVER_SENT)

    async def _run(self, cell: Queued) -> Result:
        request = uuid.uuid4().hex
        try:
            client = await self._ready()
            ours = cell.on_send is None or await asyncio.to_thread(cell.on_send, request)
        except RecordsUnavailable as error:
            return Result(status=Status.UNRECORDED, detail=str(error))
        except CodeRunnerError as error:
            return Result(status=Status.REFUSED, detail=str(error))
        if not ours:
            return Result(status=Status.ABORTED, detail=TAKEN_OVER)
        notice, self._notice = self._notice, ""
        self._current, cell.client = cell, client
        self._show("busy")
        try:
            result = await client.execute(
                cell.source,
                request=request,
                deadline=cell.deadline,
                detach=cell.detach,
                on_output=cell.on_output,
                on_question=cell.on_question,
                on_later=cell.on_later,
                panel=cell.panel,
            )
            result = client.weigh(result, self._most)
            if self._began_anew(result):
                notice = notice or REPLACED
            self._ran = result.aftermath is not Aftermath.FRESH
        finally:
            self._current = None
            self._after(client)
        return replace(result, detail="; ".join(filter(None, (notice, result.detail))))

    def _began_anew(self, result: Result) -> bool:
        """Tell by its count whether a kernel that an earlier process knew was restarted since."""
        if result.execution_count is None:
            return False
        counted, self._counted = self._counted, 0
        return self._ran and result.execution_count <= counted

    def _after(self, client: KernelClient) -> None:
        self.used = time.monotonic()
        self._process = client.process or self._process
        if client.gone is not None:
            self._let_go(client)
        elif client is self._client and client.worn:
            self._let_go(client)
            self._warm()
        elif client is self._client:
            self._show("idle")
            self._plan_rest()

    # --- the kernel's life ------------------------------------------------------------------------

    async def _ready(self) -> KernelClient:
        if self._closed:
            raise KernelNotStarted(CLOSED)
        if (client := self._client) is not None:
            if client.gone is None and client.quiet_for > DOZED_OFF:
                await client.check()
            if client.gone is None:
                return client
            self._lost(client)
        opening = self._opening_still or self._begin_opening()
        if opening.done():
            self._opening = None
        try:
            # Shielded: the kernel comes up even when this cell is stopped before it began.
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            if opening.cancelled():
                raise KernelNotStarted(CLOSED) from None
            raise

    def _find(self) -> None:
        """Connect to the kernel if it is there; no other is started."""
        if self._client is not None:
            self._comms.find_again()
        elif self._finding is None and self._opening_still is None and not self._closed:
            self._finding = asyncio.get_running_loop().create_task(self._seek())

    async def _seek(self) -> None:
        try:
            for pause in SEEK:
                await asyncio.sleep(pause)
                with suppress(CodeRunnerError, OSError):
                    self._take(await self._open(self.conversation, self.where, start=False))
                    return
        finally:
            self._finding = None

    def _warm(self) -> None:
        if self._client is not None:
            self._plan_rest()  # somebody is about to use it
            if self._current is None and self._client.quiet_for > NODDED_OFF:
                self._beside(self._look_after(self._client))
        elif self._opening_still is None and not self._closed:
            self._begin_opening()

    @property
    def _opening_still(self) -> "asyncio.Task[KernelClient] | None":
        """The start that goes on, or that has just failed; None where there is none that counts."""
        failed = self._opening is not None and self._opening.done() and time.monotonic() >= self._failed
        return None if failed else self._opening

    async def _look_after(self, client: KernelClient) -> None:
        """See whether a kernel that has been quiet is still there, while the model writes the cell for it."""
        await client.check()
        if client.gone is not None and client is self._client and self._current is None:
            self._lost(client)
            self._warm()

    def _begin_opening(self) -> "asyncio.Task[KernelClient]":
        self._show("starting")
        if self._cull is not None:
            self._cull.cancel()  # it was meant for a kernel before
        self._opening = asyncio.get_running_loop().create_task(self._start())
        self._opening.add_done_callback(_notice_failure)
        return self._opening

    async def _start(self) -> KernelClient:
        began = time.monotonic()
        try:
            if self._farewells:
                # What is being closed could be found again otherwise.
                await asyncio.wait(self._farewells)
            if self._finding is not None:
                self._finding.cancel()
                await asyncio.wait([self._finding])
            if self._client is not None:
                self._opening = None
                return self._client
            transport = await self._open(self.conversation, self.where)
        except (CodeRunnerError, OSError) as error:
            now = time.monotonic()
            self._failed = now + (KEPT_ERROR if now - began > LONG else 0.0)
            self._show("dead", str(error))
            if isinstance(error, CodeRunnerError):
                raise
            raise KernelNotStarted(f"the kernel cannot be started: {error}") from error
        self._opening = None
        return self._take(transport)

    def _take(self, transport: Transport) -> KernelClient:
        another = self._process and transport.process not in ("", self._process)
        if self._ran and (another or not transport.found):
            self._notice, self._ran = REPLACED, False
        if another or not transport.found:
            self._comms.clear()
        self._process = transport.process or self._process
        self._client = KernelClient(transport, on_gone=self._lost, later=self._later, comms=self._comms)
        self._show("idle")
        self._plan_rest()
        return self._client

    def _lost(self, client: KernelClient) -> None:
        """Take note that a kernel is gone while no cell runs; one that runs gets its own verdict."""
        if self._current is None and client is self._client and client.gone is not None:
            if self._ran and client.gone.status is not Status.LOST:
                self._notice, self._ran = REPLACED, False
            self._let_go(client)

    def _let_go(self, client: KernelClient) -> None:
        """Close a client in the background: the next cell need not wait for it."""
        if client is self._client:
            self._client = None
            self._show("dead", client.gone.sentence if client.gone else "")
        self._beside(client.close(keep=client.gone is None or client.gone.keep))

    def _beside(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Do something in the background; the next start and the end of all wait for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)
        task.add_done_callback(_notice_failure)
        return task

    async def _interrupt(self) -> bool:
        if self._current is None:
            return False
        self._current.stop()
        return True

    async def _restart(self) -> None:
        if self._client is None and self._ran:
            # The way to it was lost; on a server it may be there still, and busy.
            with suppress(CodeRunnerError):
                await self._ready()
        client, self._client = self._client, None
        self._notice, self._ran = RESTARTED if self._ran else "", False
        if client is not None:
            await client.restart()
        if self._opening is None and not self._closed:
            self._begin_opening()

    async def end(self, *, keep: bool = False) -> None:
        """Close for good; `keep` leaves a kernel running that can be found again. For callers in the loop."""
        self._closed = True
        await self.rest(keep=keep)
        await asyncio.gather(*self._farewells, return_exceptions=True)

    async def rest(self, *, keep: bool = True) -> None:
        """Let go of the kernel until the next cell."""
        if self._cull is not None:
            self._cull.cancel()
        opening, self._opening = self._opening, None
        starting = [task for task in (opening, self._finding) if task is not None]
        client, self._client = self._client, None
        self._show("none")
        for task in starting:
            task.cancel()
        await asyncio.gather(*starting, return_exceptions=True)
        self._later.close()
        if client is not None:
            # A task of its own, so that whoever ends the session meanwhile waits for it too.
            await asyncio.wait([self._beside(client.close(keep=keep))])

    def _plan_rest(self) -> None:
        if self._cull is not None:
            self._cull.cancel()
        self._cull = asyncio.get_running_loop().call_later(self._idle, self._rest_if_idle)

    def _rest_if_idle(self) -> None:
        if self.busy:
            return  # the end of the cell plans it again
        self._beside(self.rest())

    def _show(self, state: State, sentence: str = "") -> None:
        self.light = Light(state, self.where.kernel_name, time.monotonic(), sentence)


def _notice_failure(task: "asyncio.Task[Any]") -> None:
    """Look at the exception of a task that nobody awaits: a start's stands in the light."""
    if not task.cancelled() and (error := task.exception()):
        logging.getLogger(__name__).debug("in the background: %s", error)
