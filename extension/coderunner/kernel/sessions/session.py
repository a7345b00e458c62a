"""One conversation's kernel: started when it is needed, replaced when it is gone, one cell at a time.

Everything here runs in the I/O thread's loop; the methods that a host calls may be called from anywhere.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from coderunner.ending_sentences import NOT_STARTED
from coderunner.errors import CodeRunnerError, NotAgreed, RecordsUnavailable
from coderunner.files.changes.made_files import UNCOMPARED, MadeFiles
from coderunner.kernel.connections.usage_limits import met
from coderunner.kernel.execution.deadline import Detach
from coderunner.kernel.execution.late_output import LateOutput
from coderunner.kernel.execution.mended_cell import Mend, run_cell
from coderunner.kernel.execution.pending_request import OnQuestion
from coderunner.kernel.execution.running_cell import (
    KernelBusy,
    OnLost,
    OnOutput,
    QueuedCell,
    RunningCell,
    Turns,
)
from coderunner.kernel.execution.transport import Opener
from coderunner.kernel.io_thread import IOThread
from coderunner.kernel.kernel_location import KernelLocation, Local
from coderunner.kernel.protocol.lookups import Lookup
from coderunner.kernel.protocol.messages import Json
from coderunner.kernel.sessions.folders.missing_file import missing
from coderunner.kernel.sessions.kernel_lifecycle import REPLACED, KernelLifecycle
from coderunner.kernel.sessions.kernel_status import KernelStatus
from coderunner.kernel.sessions.run_prelude import bring_arguments, bring_tools
from coderunner.kernel.sessions.spoken_language import PATIENCE, is_usual, of_spec
from coderunner.kernel.tools.cell_calls import ChatTools
from coderunner.kernel.widgets.comms import Comms
from coderunner.kernel.widgets.restore import RestoredWidgets
from coderunner.kernel.widgets.widget_panel import WidgetPanel
from coderunner.languages import PYTHON, Language
from coderunner.outputs import Aftermath, Output, Refusal, Remedy, Result, Status
from coderunner.sandbox.policy import NO_LIMITS, Limits
from coderunner.tools.toolbox import Toolbox

LOOKING = 2.5
"""Seconds to find out what was refused after a cell's end."""
TAKEN_OVER = "another process had already taken it over"
LEFT = "CodeRunner was stopped"


Refused = Callable[[str, Result, str], Coroutine[Any, Any, tuple[Refusal, ...]]]
"""Finds what a cell did not get, by conversation, result and source."""


class Session:
    """Binds a conversation to a kernel of its own."""

    def __init__(
        self,
        conversation: str,
        where: KernelLocation,
        opener: Opener,
        io_thread: IOThread,
        *,
        idle: float,
        refused: Refused | None = None,
        mend: Mend | None = None,
        files: MadeFiles | None = None,
        limits: Limits | None = None,
        toolbox: Toolbox | None = None,
        patience: float | None = None,
    ) -> None:
        """`refused` finds what a cell did not get, `mend` sees to it; `files`: what it made; cf. `Turns`."""
        self.conversation, self.where, self.io_thread = conversation, where, io_thread
        self._files, self._limits = files or UNCOMPARED, limits or NO_LIMITS
        self._refused, self._mend, self.owner = refused, mend, ""
        self.leaving = False
        """The process is about to end, and with it a kernel on this machine."""
        self._turns, self._late = Turns(patience), deque[Result]()
        self._later, self._comms = later, comms = LateOutput(), Comms(io_thread.post)
        self._life = KernelLifecycle(
            conversation, where, opener, idle=idle, turns=self._turns, later=later, comms=comms
        )
        self.tools = self._life.tools = ChatTools(toolbox, conversation) if toolbox is not None else None
        self.argv: tuple[str, ...] = ()
        """What a program finds in `sys.argv`; empty: what is there."""

    # --- what hosts call --------------------------------------------------------------------------

    async def language(self) -> Language:
        """The language that the kernel speaks: Python where nobody says another. May be awaited in any loop.

        What this kernel, or one before it, has said itself counts, before that its kernel spec. Starts no
        kernel; a server is asked once, unless its kernel is the usual `python3`.
        """
        known = self._known_language
        return known if known is not None else await self.io_thread.run(of_spec(self.where))

    def language_now(self) -> Language:
        """The same, for hosts without a loop."""
        return self._known_language or self.io_thread.call(of_spec(self.where), 2 * PATIENCE)

    @property
    def _known_language(self) -> Language | None:
        return self._life.language or (PYTHON if is_usual(self.where) else None)

    def warm(self) -> None:
        """Start the kernel in the background; returns at once. The next cell tells what went wrong."""
        self.io_thread.post(self._life.warm)

    async def execute(
        self, source: str, *, deadline: float = 30.0, on_output: OnOutput | None = None
    ) -> Result:
        """Run a cell; what goes wrong with the kernel is a status of the result, never an exception.

        May be awaited in any loop. `on_output` is called in the I/O thread, at most 20 times a second,
        with what changed. Cells of one session run one after the other, in the order of the calls. Cancelling
        stops the cell.
        """
        return await self.io_thread.run(self._queue(QueuedCell(source, deadline, on_output)))

    def begin(
        self,
        source: str,
        *,
        deadline: float = 30.0,
        limit: float = 0.0,
        on_output: OnOutput | None = None,
        on_question: OnQuestion | None = None,
        on_send: Callable[[str], bool] | None = None,
        on_wait: Callable[[bool], None] | None = None,
        on_lost: OnLost | None = None,
        on_later: OnOutput | None = None,
        panel: WidgetPanel | None = None,
    ) -> RunningCell:
        """Run a cell in the background: `execute` for hosts without a loop.

        With a `limit` beyond the deadline the cell goes on after it, up to that many seconds: cells that
        come meanwhile wait in line, and `take_late` gives its result when it has ended.

        Where `on_question` is given the program may ask a person; after its deadline `RunningCell.listen`'s
        counts. It is called in the I/O thread with the question, whose time does not count, and with
        None when that is answered or withdrawn. Elsewhere `input()` raises at once.

        `on_send` is called in a thread when the kernel is ready, with the id of the request, right before the
        cell is sent; where it gives False, or raises CodeRunnerError, it is not.

        `on_wait` is called in the I/O thread: it waits for room for its kernel (True), or no more (False).
        `on_lost` likewise: the connection to its kernel is lost and tried again (True), or there again.
        `on_later` is called in the I/O thread with what threads and tasks of the cell show after its
        end: a list of outputs of its own, bounded.
        `panel` gets the widgets that the cell shows. The result tells the files that it made or changed.
        """
        queued = QueuedCell(
            source, deadline, on_question=on_question, on_send=on_send, on_later=on_later, panel=panel
        )
        queued.files, queued.on_wait, queued.on_lost = True, on_wait, on_lost
        running = RunningCell(self.io_thread, queued, on_output)
        if limit > deadline:
            running.cell.detach = Detach(limit, running.overdue)
        return running.begin(self._run_to_its_end(running))

    def panel(self, request: str) -> WidgetPanel | None:
        """Return the widgets that the run of a request shows, while the kernel has them."""
        return self._comms.panel(request)

    def recall(self, panel: RestoredWidgets, on_later: OnOutput, outputs: Sequence[Output]) -> WidgetPanel:
        """Have the widgets of a run of an earlier process live again once the kernel is found.

        Gives the panel that the run has by then. `on_later` is told what it shows from now on, as `begin` has
        it; `outputs` are those of its result.
        """
        known = self._comms.recall(panel)
        if known is panel:
            self.io_thread.post(self._later.expect, panel.request, on_later, outputs)
        return known

    def look(self) -> None:
        """Look in the background whether a kernel of an earlier process is there still; starts none."""
        self.io_thread.post(self._life.find)

    def take_late(self) -> list[Result]:
        """Return the results of cells that ended after their deadline, each of them once, in their order."""
        late = []
        with suppress(IndexError):
            while True:
                late.append(self._late.popleft())
        return late

    def take_afterwards(self, *, newest: bool = True) -> list[tuple[Output, ...]]:
        """Return what cells that were begun with `on_later` have shown after their end, each of it once.

        The outputs of each cell are a list of their own, in the order of the cells. Without `newest`, those
        of the cell that ended last are left for the next call.
        """
        return self._later.take(newest=newest)

    def refused_afterwards(self, outputs: Sequence[Output]) -> tuple[Refusal, ...]:
        """Return what a sandbox refused to threads and tasks that showed `outputs` after their cell's end.

        From any thread. Seldom takes any time, and `LOOKING` seconds at most.
        """
        if self._refused is None or not outputs or self.io_thread.here:
            return ()
        looking = self._refused(self.conversation, Result(tuple(outputs)), "")
        with suppress(TimeoutError):
            return tuple(map(_by_hand, self.io_thread.call(looking, LOOKING)))
        return ()

    def resume(self, count: int = 0) -> None:
        """Note that an earlier process ran cells here, the last of them with that execution count.

        A kernel that is not found has lost variables, and so has one that has not counted on from there.
        """
        self._life.resume(count)

    async def interrupt(self) -> bool:
        """Stop the cell that runs, or waits for its kernel; False where none does."""
        return await self.io_thread.run(self._turns.stop())

    async def restart(self, *, attached: str = "") -> None:
        """Restart the kernel, by its name where it is a person's own; a cell that runs ends as `replaced`."""
        _require_consent(self.where, attached)
        await self.io_thread.run(self._life.restart())

    async def close(self) -> None:
        """End the kernel; a cell that runs ends as `replaced`, later ones are refused."""
        await self.io_thread.run(self.end())

    async def ask(
        self, question: str, arguments: Mapping[str, object] | None = None, patience: float = 5.0
    ) -> Mapping[str, object]:
        """Ask the kernel one of `run_prelude.QUESTIONS`, also while a cell runs. May be awaited in any loop.

        The answer's values are unchecked. Starts no kernel and waits for no cell. Raises NotAnswered, with a
        sentence, where no kernel is there, it is not IPython's, it refuses, or `patience` seconds are over.
        """
        return await self.io_thread.run(self._life.ask(question, arguments or {}, patience))

    async def look_up(self, kind: Lookup, code: str, cursor: int, patience: float = 30.0) -> Json:
        """What an idle kernel knows of code that is being written; empty where it says nothing."""
        return await self.io_thread.run(self._life.look_up(kind, code, cursor, patience))

    @property
    def lists_variables(self) -> bool:
        """Its kernel is an ipykernel, which can list what a person has defined."""
        return self._life.is_ipykernel

    @property
    def status(self) -> KernelStatus:
        """What a page shows of the kernel's state."""
        return self._life.status

    @property
    def used(self) -> float:
        """When the kernel was last used, by `time.monotonic()`."""
        return self._life.used

    @property
    def live(self) -> bool:
        """It has a kernel, or one is being started."""
        return self.status.state in ("starting", "idle", "busy")

    @property
    def busy(self) -> bool:
        """A cell runs or waits."""
        return self._turns.busy

    @property
    def wanted(self) -> bool:
        """A cell has come that has not ended."""
        return self._turns.cells > 0

    def waits(self, sentence: str) -> None:
        """Show with its status what the start of its kernel waits for; empty: for nothing any more."""
        self._life.status = replace(self.status, sentence=sentence)
        if sentence:
            self._turns.wait()

    # --- one cell ---------------------------------------------------------------------------------

    def take_over(self, earlier: "Session") -> None:
        """Return what `earlier` still had to give; the next result says that its variables stay behind."""
        self._late = earlier._late
        self._life.succeed(earlier._life)

    async def _run_to_its_end(self, running: RunningCell) -> None:
        result = await self._queue(running.cell)
        if late := running.future.done():
            # Before anybody hears of the end, so that whoever does finds it here.
            self._late.append(result)
        running.settle(result, late=late)

    async def _queue(self, cell: QueuedCell) -> Result:
        cell.task = asyncio.current_task()
        if cell.stopped:
            return Result(status=Status.INTERRUPTED, detail=NOT_STARTED)
        try:
            async with self._turns.take(cell):
                return await self._run(cell)
        except KernelBusy as busy:
            return Result(status=Status.REFUSED, aftermath=Aftermath.BUSY, detail=str(busy))
        except asyncio.CancelledError:
            if not cell.stopped or cell.task is None:
                raise
            cell.task.uncancel()
            return Result(status=Status.INTERRUPTED, detail=NOT_STARTED)

    async def _run(self, cell: QueuedCell) -> Result:
        request = os.urandom(16).hex()
        files = self._files if cell.files else UNCOMPARED
        looking = files.begin()
        try:
            client = await self._life.ready()
            await bring_tools(client, self.tools)
            await bring_arguments(client, self.argv)
            cell.hold(waits=False)
            ours = cell.on_send is None or await asyncio.to_thread(cell.on_send, request)
            await looking
        except RecordsUnavailable as error:
            return Result(status=Status.UNRECORDED, detail=str(error))
        except CodeRunnerError as error:
            return Result(status=Status.REFUSED, detail=str(error))
        if not ours:
            return Result(status=Status.ABORTED, detail=TAKEN_OVER)
        notice, cell.client = self._life.begin_cell(), client
        try:
            result = await run_cell(client, cell, request, self._mend)
            if self._life.learn(result, anew=client.anew):
                notice = notice or REPLACED
        finally:
            self._turns.current = None
            self._life.end_cell(client)
        result = await files.end(_left(result) if self.leaving and isinstance(self.where, Local) else result)
        refused = await self._refused(self.conversation, result, cell.source) if self._refused else ()
        known = result.detail or met(result, self._limits)
        known = known or await missing(result, self.conversation, self.where, self._life.ask)
        said = "; ".join(filter(None, (notice, known)))
        return replace(result, detail=said, refusals=refused) if said or refused else result

    async def rest(self, *, keep: bool = True) -> None:
        """Release the kernel until the next cell, once none runs or waits. For callers in the loop.

        `keep` leaves a kernel running that can be found again.
        """
        async with self._turns.lock:
            await self._life.rest(keep=keep)

    async def end(self, *, keep: bool = False) -> bool:
        """Close for good, in the loop; `keep` leaves a kernel. Tells whether one was let go of before."""
        await self._life.end(keep=keep)
        self._files.close()
        return self._life.left


def _require_consent(where: KernelLocation, attached: str) -> None:
    """A kernel that is a person's own has to be named by who restarts it, once they have agreed to that."""
    if where.attach != attached:
        whose = (
            f"the kernel {where.attach} is a person's own" if where.attach else "the kernel is another one"
        )
        raise NotAgreed(f"{whose}; a restart would lose its variables, and nobody has agreed to that")


def _by_hand(refusal: Refusal) -> Refusal:
    """No button stands below what comes after a block's end; the form takes what one would grant."""
    return replace(refusal, remedy=Remedy.FORM, grant="", named="") if refusal.grant else refusal


def _left(result: Result) -> Result:
    """The same, where the kernel ends with the process: a stopped cell has kept nothing."""
    if result.aftermath is not Aftermath.READY or result.status not in (Status.INTERRUPTED, Status.TIMEOUT):
        return result
    said = "; ".join(filter(None, (result.detail, LEFT)))
    return replace(result, status=Status.REPLACED, aftermath=Aftermath.FRESH, detail=said)
