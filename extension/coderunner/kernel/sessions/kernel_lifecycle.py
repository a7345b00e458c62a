"""The life of one conversation's kernel: started when it is needed, found again, replaced, let go.

Everything here runs in the I/O thread's loop.
"""

import asyncio
import logging
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

from coderunner.errors import CodeRunnerError, KernelNotStarted, NoRoom, NotAnswered
from coderunner.kernel.execution import prepared_questions
from coderunner.kernel.execution.client import KernelClient
from coderunner.kernel.execution.deadline import Alarm
from coderunner.kernel.execution.late_output import LateOutput
from coderunner.kernel.execution.running_cell import Turns
from coderunner.kernel.execution.transport import Opener, Transport
from coderunner.kernel.kernel_location import KernelLocation, Server
from coderunner.kernel.protocol.lookups import Lookup
from coderunner.kernel.protocol.messages import Json
from coderunner.kernel.sessions.folders.chat_folders import NO_KERNEL
from coderunner.kernel.sessions.kernel_status import KernelStatus, State
from coderunner.kernel.sessions.run_prelude import questions_cell
from coderunner.kernel.sessions.spoken_language import of_kernel
from coderunner.kernel.tools.cell_calls import ChatTools
from coderunner.kernel.widgets.comms import Comms
from coderunner.languages import Language
from coderunner.outputs import Aftermath, Result, Status

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

REPLACED = "this is a new kernel; earlier variables are gone"
RESTARTED = "the kernel was restarted; earlier variables are gone"
NOT_RESTARTED = "the kernel could not be restarted; earlier variables are still there"
MOVED = "this is another kernel; earlier variables are not in it"
CLOSED = "the kernel of this conversation was closed"
STARTING = "the kernel is still starting"
CUT_OFF = "The connection to the Jupyter server is lost. Trying again."


class KernelLifecycle:
    """Has a kernel there when a cell needs one, and releases it."""

    def __init__(
        self,
        conversation: str,
        where: KernelLocation,
        opener: Opener,
        *,
        idle: float,
        turns: Turns,
        later: LateOutput,
        comms: Comms,
    ) -> None:
        """`idle`: seconds after which an unused kernel rests; `turns`: the cells that run and wait."""
        self.tools: ChatTools | None = None
        """Those that its code may call."""
        self.status = KernelStatus("none", where.kernel_name, time.monotonic())
        self.used = time.monotonic()
        """When it was last used, by `time.monotonic()`."""
        self.runs = False
        """A cell runs in it."""
        self.language: Language | None = None
        """What a kernel here has said that it speaks."""
        self.is_ipykernel = True
        self._conversation, self._where, self._open = conversation, where, opener
        self._idle, self._turns, self._later, self._comms = idle, turns, later, comms
        self._client: KernelClient | None = None
        self._opening: asyncio.Task[KernelClient] | None = None
        self._finding: asyncio.Task[None] | None = None
        """Looks for a kernel that is there, and starts none."""
        self._failed = 0.0
        """Until when the error of a start is kept, by `time.monotonic()`."""
        self._notice = self._process = ""
        self._ran = False
        """The kernel may hold variables of ours."""
        self._counted = 0
        """The execution count that an earlier process left; 0: none did, or it is known what became of it."""
        self._cull, self._farewells = Alarm(), set[asyncio.Task[None]]()
        self._closed = self.left = False
        """`left`: a kernel on a server was let go of, and may be there still."""

    def resume(self, count: int) -> None:
        """An earlier process ran cells here, the last of them with that execution count."""
        self._ran, self._counted, self.status = True, count, replace(self.status, ran=True)

    def succeed(self, earlier: "KernelLifecycle") -> None:
        """Take over from a conversation's kernel elsewhere, whose variables stay behind."""
        self._notice = MOVED if earlier._ran or earlier._notice else ""
        self._later.take_over(earlier._later)

    # --- one cell ---------------------------------------------------------------------------------

    def begin_cell(self) -> str:
        """A cell is about to run; returns what its result has to say of the kernel."""
        notice, self._notice = self._notice, ""
        self.runs = True
        self._show("busy")
        return notice

    def learn(self, result: Result, *, anew: bool = False) -> bool:
        """Learn from a result; returns whether its kernel is not the one that had run cells before.

        `anew`: it came from another process than the cell before it.
        """
        anew = self._began_anew(result) or (anew and self._ran)
        self._ran = result.aftermath is not Aftermath.FRESH
        return anew

    def _began_anew(self, result: Result) -> bool:
        """Tell by its count whether a kernel that an earlier process knew was restarted since."""
        if result.execution_count is None:
            return False
        counted, self._counted = self._counted, 0
        return self._ran and result.execution_count <= counted

    def end_cell(self, client: KernelClient) -> None:
        """A cell has ended: what becomes of its kernel."""
        self.runs, self.used = False, time.monotonic()
        self._process = client.process or self._process
        if client.gone is not None:
            self._let_go(client)
        elif client is self._client and client.worn:
            self._let_go(client)
            self.warm()
        elif client is self._client:
            self._show("idle")
            self._plan_rest()

    # --- questions --------------------------------------------------------------------------------

    async def ask(self, question: str, arguments: Json, patience: float) -> Json:
        """Ask the kernel if it is there, also while a cell runs; raises NotAnswered."""
        busy, found = (lambda: self.runs), self._present()
        return await prepared_questions.ask(
            found, question, arguments, patience, prelude=questions_cell, busy=busy
        )

    async def look_up(self, kind: Lookup, code: str, cursor: int, patience: float) -> Json:
        """Ask the kernel about code that is being written, if it is there and idle; else nothing."""
        if self._client is None or self.runs:
            return {}
        with suppress(TimeoutError):  # an error of ours is one, too
            async with asyncio.timeout(patience):
                return await self._client.look_up(kind, code, cursor)
        return {}

    async def _present(self) -> KernelClient:
        if self._client is None and self._ran and isinstance(self._where, Server):
            self.find()
            if self._finding is not None:
                await asyncio.wait([self._finding])
        if self._client is None:
            raise NotAnswered(STARTING if self.status.state == "starting" else NO_KERNEL)
        return self._client

    # --- from its start to its end ----------------------------------------------------------------

    async def ready(self, *, again: bool = True) -> KernelClient:
        """Return the client of a kernel, started if need be, `again` if gone; raises CodeRunnerError."""
        if self._closed:
            raise KernelNotStarted(CLOSED)
        if (client := self._client) is not None:
            if client.gone is None and (client.uncertain or client.quiet_for > DOZED_OFF):
                await client.check()
            if client.gone is None:
                return client
            self._lost(client)
        opening = self._opening_still or self._begin_opening()
        if opening.done():
            self._opening = None
        try:
            # Shielded: the kernel comes up even when this cell is stopped before it began, if there is room.
            opened = await asyncio.shield(opening)
            return await self.ready(again=False) if again and opened.gone else opened
        except asyncio.CancelledError:
            if opening.cancelled():
                raise KernelNotStarted(CLOSED) from None
            raise

    def find(self) -> None:
        """Connect to the kernel if it is there; no other is started."""
        if self._client is not None:
            self._comms.find_again()
        elif self._finding is None and self._opening_still is None and not self._closed:
            self._finding = asyncio.get_running_loop().create_task(self._seek())

    async def _seek(self) -> None:
        try:
            for pause in SEEK:
                await asyncio.sleep(pause)
                await _all_ended(self._farewells)
                with suppress(CodeRunnerError, OSError):
                    self._take(await self._open(self._conversation, self._where, start=False))
                    return
        finally:
            self._finding = None

    def warm(self) -> None:
        """Start a kernel, or look whether it is still there; returns at once."""
        self.used = time.monotonic()
        if self._client is not None:
            self._plan_rest()  # somebody is about to use it
            if not self.runs and self._client.quiet_for > NODDED_OFF:
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
        if await client.check() is not None and client is self._client and not self.runs:
            self._lost(client)
            self.warm()

    def _begin_opening(self) -> "asyncio.Task[KernelClient]":
        self._show("starting")
        self._cull.clear()  # it was meant for a kernel before
        self._opening = asyncio.get_running_loop().create_task(self._start())
        self._opening.add_done_callback(_notice_failure)
        return self._opening

    async def _start(self) -> KernelClient:
        began = time.monotonic()
        try:
            await _all_ended(self._farewells)
            if self._finding is not None:
                self._finding.cancel()
                await asyncio.wait([self._finding])
            if self._client is not None:
                self._opening = None
                return self._client
            transport = await self._open(self._conversation, self._where)
        except NoRoom:  # nobody waits for it, and whoever comes next begins another start
            self._opening, self._failed = None, 0.0
            self._show("none")
            raise
        except (CodeRunnerError, OSError) as error:
            self._failed = (now := time.monotonic()) + (KEPT_ERROR if now - began > LONG else 0.0)
            self._show("dead", str(error))
            if isinstance(error, CodeRunnerError):
                raise
            raise KernelNotStarted(f"the kernel cannot be started: {error}") from error
        self._opening = None
        return self._take(transport)

    def _take(self, transport: Transport) -> KernelClient:
        another = self._process and transport.process not in ("", self._process)
        if self._notice == RESTARTED and transport.found and transport.process == self._process != "":
            self._notice, self._ran = NOT_RESTARTED, True
        if self._ran and (another or not transport.found):
            self._notice, self._ran = REPLACED, False
        if another or not transport.found:
            self._comms.clear()
        self._process = transport.process or self._process
        self.language = of_kernel(transport.about) or self.language
        self._client = KernelClient(
            transport, on_change=self._lost, later=self._later, comms=self._comms, tools=self.tools
        )
        self.is_ipykernel = self._client.is_ipykernel
        self._show("idle")
        self._plan_rest()
        return self._client

    def _lost(self, client: KernelClient) -> None:
        """Note that a kernel is gone; one in which a cell runs gets its own verdict, or is found again."""
        if client is self._client and self.runs and client.gone is None:
            self.status = replace(self.status, sentence=CUT_OFF if client.away else "")
            self._turns.lose(client.away)
        elif client is self._client and not self.runs and client.gone is not None:
            if self._ran and client.gone.status is not Status.LOST:
                self._notice, self._ran = REPLACED, False
            self._let_go(client)

    def _let_go(self, client: KernelClient) -> None:
        """Close a client in the background: the next cell need not wait for it."""
        if client is self._client:
            self._client = None
            self._show("dead", client.gone.sentence if client.gone else "")
        self.left = client.gone is None or client.gone.keep
        self._beside(client.close(keep=self.left))

    def _beside(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Do something in the background; the next start and the end of all wait for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)
        task.add_done_callback(_notice_failure)
        return task

    async def restart(self) -> None:
        """Restart the kernel; a cell that runs ends as `replaced`."""
        if self._client is None and self._ran:
            # The connection to it was lost; on a server it may be there still, and busy.
            with suppress(CodeRunnerError):
                await self.ready()
        client, self._client = self._client, None
        self._notice, self._ran = RESTARTED if self._ran else self._notice, False
        if client is not None:
            self.left = True
            # The next start waits for it, whoever waits no more: a server would have it find the old process.
            await asyncio.shield(self._beside(client.restart()))
        if self._client is None and self._opening is None and not self._closed:
            self._begin_opening()

    async def end(self, *, keep: bool = False) -> None:
        """Close for good; `keep` leaves a kernel running that can be found again."""
        self._closed = True
        await self.rest(keep=keep)
        await asyncio.gather(*self._farewells, return_exceptions=True)

    async def rest(self, *, keep: bool = True) -> None:
        """Release the kernel until the next cell."""
        self._cull.clear()
        starting = [task for task in (self._opening, self._finding) if task is not None]
        client, self._client, self._opening = self._client, None, None
        self._show("none")
        for task in starting:
            task.cancel()
        await asyncio.gather(*starting, return_exceptions=True)
        self._later.close()
        if client is not None:
            self.left = keep
            # A task of its own, so that whoever ends the session meanwhile waits for it too.
            await asyncio.wait([self._beside(client.close(keep=keep))])

    def _plan_rest(self) -> None:
        self._cull.set(self._idle, self._rest_if_idle)

    def _rest_if_idle(self) -> None:
        if not self._turns.busy:  # else the end of the cell plans it again
            self._beside(self.rest())

    def _show(self, state: State, sentence: str = "") -> None:
        self.status = KernelStatus(state, self._where.kernel_name, time.monotonic(), sentence, self._ran)


async def _all_ended(farewells: "set[asyncio.Task[None]]") -> None:
    """Wait for what is being closed or restarted: it could be found again otherwise."""
    if farewells:
        await asyncio.wait(farewells)


def _notice_failure(task: "asyncio.Task[Any]") -> None:
    """Look at the exception of a task that nobody awaits: that of a start is in the kernel's status."""
    if not task.cancelled() and (error := task.exception()):
        logging.getLogger(__name__).debug("in the background: %s", error)
