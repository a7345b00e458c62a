"""Runs cells in one kernel: request, outputs as they come, deadline, and what ends a cell that does not.

The same for every kernel; how its messages travel is a `Transport`. All of it lives in the I/O thread's loop.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from coderunner.errors import NotAnswered
from coderunner.kernel.background_tasks import attempt, log
from coderunner.kernel.execution.conclude_cell import RESTART_TIMEOUT, CellConclusion, bounded, limit
from coderunner.kernel.execution.deadline import Alarms, Detach, now
from coderunner.kernel.execution.late_output import LateOutput
from coderunner.kernel.execution.open_questions import OpenQuestions
from coderunner.kernel.execution.pending_request import (
    LOST,
    Away,
    Back,
    Event,
    Gone,
    OnQuestion,
    PendingRequest,
)
from coderunner.kernel.execution.transport import Transport, is_python
from coderunner.kernel.protocol.cell_outputs import CellOutputs, Change
from coderunner.kernel.protocol.lookups import Lookup, lookup_request
from coderunner.kernel.protocol.messages import (
    SHOWS,
    Json,
    Message,
    Stamp,
    execute_request,
    input_reply,
    kernel_info_request,
)
from coderunner.kernel.protocol.output_limits import line_of
from coderunner.kernel.protocol.questions import answer_of, question_request
from coderunner.kernel.tools.call_messages import answer_message
from coderunner.kernel.tools.cell_calls import CellCalls, ChatTools
from coderunner.kernel.widgets.comms import Comms, concern
from coderunner.kernel.widgets.widget_panel import WidgetPanel
from coderunner.outputs import Aftermath, Result, Status
from coderunner.secret_value import Secret

CHECK_EVERY = 2.0
"""Seconds between two checks whether the kernel is still there, while a cell runs."""
SEND_AGAIN = (0.0, 0.3)
"""Seconds before each further attempt at a cell that the kernel flushed from its queue: after an error tslab
flushes for 0.2 s."""

CUT_NOW = "the connection is currently down"


class KernelClient:
    """One kernel, one request at a time. The caller makes sure that `execute` is not called twice at once."""

    def __init__(
        self,
        transport: Transport,
        *,
        on_change: Callable[["KernelClient"], None] = lambda _client: None,
        later: LateOutput | None = None,
        comms: Comms | None = None,
        tools: ChatTools | None = None,
    ) -> None:
        self._transport = transport
        self._on_change = on_change
        self._later = later or LateOutput()
        self._comms = comms or Comms(asyncio.get_running_loop().call_soon_threadsafe)
        self._session = uuid.uuid4().hex
        self._tools = tools
        self._request: PendingRequest | None = None
        self._calls: CellCalls | None = None
        self._questions = OpenQuestions()
        self._alarms = Alarms()
        self.prepared = not transport.borrowed
        """It has what answers questions, as far as is known."""
        self.takes_tools = tools is not None and not transport.borrowed and is_python(transport)
        self.lent: Sequence[object] = ()
        """The tools of a client that it knows."""
        self.is_ipykernel = transport.about.is_ipykernel or not transport.about.known
        self._last_event = now()
        self.process = transport.process
        """What the kernel's process calls its session; empty where it is not known."""
        self.gone: Gone | None = None
        """Why this client is no longer usable; None while it is."""
        self._end = CellConclusion(transport, self._stamp, self._give_up, self.check)
        self.anew = False
        """The last cell ran in another process than the one before it, and nobody said so."""
        self._deaf = False
        """The server gives the kernel's replies to another connection."""
        self.worn = False
        """The way was cut while a cell ran, and found again: good for the end of that cell. What the server
        has not let go of yet may still take answers from it."""
        transport.attach(self._receive)
        if self.gone is None:
            self._comms.attach(transport.send)

    def _receive(self, event: Event) -> None:
        self._last_event = now()
        request = self._request
        if isinstance(event, Message):
            self._take(event, request)
            return
        if isinstance(event, Away | Gone):
            self._questions.end(CUT_NOW if isinstance(event, Away) else event.sentence)
        match event:
            case Gone(heir=True) if request is not None and request.waits:
                # To send it again could run it twice.
                self._transport.go_on()
                self._comms.clear(but=request.execution.request)
                request.inherit(event)
            case Away() if request is not None:
                request.lose_the_way()
                self._on_change(self)
            case Away() | Gone():
                # Without a cell that waits nobody needs to reconnect: the next one opens another.
                self.gone = self.gone or (event if isinstance(event, Gone) else LOST)
                self._comms.detach(self._transport.send)
                if request is not None:
                    request.end(self.gone)
                self._on_change(self)
            case Back() if request is not None:
                request.find_the_way()
                self._on_change(self)

    def _take(self, message: Message, request: PendingRequest | None) -> None:
        """Give a message to all whom it may concern; what one of them fails at reaches the others."""
        if concern(self._comms, message):
            heard = attempt("a widget message could not be handled", self._comms.receive, message)
            message = heard or message
        if request is not None:
            request.receive(message)
        if self._calls is not None:
            attempt("a tool call could not be taken", self._calls.receive, message)
        if self._questions.open:
            self._questions.receive(message)
        if message.type in SHOWS:
            attempt("output after the end of a cell could not be shown", self._later.receive, message)

    @property
    def quiet_for(self) -> float:
        """Seconds since anything was heard, those included in which the machine slept."""
        return now() - self._last_event

    @property
    def uncertain(self) -> bool:
        """What is sent may vanish unnoticed: see to it before each cell that it arrives."""
        return self._transport.uncertain

    @property
    def away(self) -> bool:
        """A cell runs, and the connection to its kernel is lost, but may be found again."""
        return self._request is not None and self._request.away

    def _stamp(self, request: str = "") -> Stamp:
        return Stamp(request or uuid.uuid4().hex, self._session, datetime.now(UTC).isoformat())

    def _give_up(self, gone: Gone) -> None:
        """The first reason counts, but for the last word on a kernel that nobody is to find again."""
        if self.gone is None or not gone.keep:
            self.gone = gone

    async def execute(
        self,
        source: str,
        *,
        deadline: float,
        request: str = "",
        detach: Detach | None = None,
        on_output: Callable[[Change], None] | None = None,
        on_question: OnQuestion | None = None,
        on_later: Callable[[Change], None] | None = None,
        panel: WidgetPanel | None = None,
    ) -> Result:
        """Run a cell to its end.

        The result says how it ended; trouble with the kernel is a status, not an exception. After `deadline`
        seconds the cell is interrupted, and where that does not help its kernel restarted; with `detach` that
        is told to others and the cell goes on up to a later limit. Cancelling stops it at once, and raises
        CancelledError when the kernel has settled. `request` is the id of the request, where the caller wants
        to know it. The program may ask a person where `on_question` is given. `on_later` is told what threads
        and tasks of the cell show after its end, as a list of its own. `panel` gets its widgets.
        """
        stamp, result = self._stamp(request), None
        try:
            result = await self._execute(source, stamp, deadline, detach, on_output, on_question, panel)
            for pause in SEND_AGAIN:
                if result.status is not Status.ABORTED or self.gone is not None:
                    break
                # It did not run: another client's error or interrupt flushed the kernel's queue.
                await asyncio.sleep(pause)
                stamp = self._stamp()
                result = await self._execute(source, stamp, deadline, detach, on_output, on_question, panel)
            return result
        finally:
            if on_later is not None:
                self._later.expect(stamp.id, on_later, result.outputs if result else ())

    async def _execute(
        self,
        source: str,
        stamp: Stamp,
        deadline: float,
        detach: Detach | None,
        on_output: Callable[[Change], None] | None,
        on_question: OnQuestion | None,
        panel: WidgetPanel | None,
    ) -> Result:
        asks = on_question is not None
        if panel is not None:
            self._comms.expect(stamp.id, panel)
        execution = CellOutputs(stamp.id, asks=asks)
        request = self._request = PendingRequest(
            *(execution, on_output, self._probe, on_question, self.process),
            alarms=self._alarms,
            alone=self._transport.alone,
            deaf=self._deaf,
        )
        if self._tools is not None:
            self._calls = CellCalls(self._tools, stamp.id, request, self._tell_answer)
        try:
            if self.gone is not None:
                request.end(self.gone)
            else:
                await self._transport.send(execute_request(source, stamp, asks=asks))
            return _described(self._comms, request.result(*await self._settle(request, deadline, detach)))
        finally:
            self._request = self._calls = None
            self.anew = request.heir is None and "" != self.process != request.taken_by != ""
            self.process = request.taken_by or ("" if request.heir else self.process)
            self._deaf = self._deaf or (request.rested and not request.execution.reply)
            self.worn = self.worn or request.cut or request.heir is not None
            request.close()

    async def _settle(
        self, request: PendingRequest, deadline: float, detach: Detach | None
    ) -> tuple[Status, Aftermath, str]:
        self._alarms.check.set(CHECK_EVERY, lambda: request.keep(_keep_checking(request, self.check)))
        try:
            ending = await request.ended(deadline)
            if ending is None and detach is not None and detach.limit > deadline:
                request.ask_others()
                said = ("" if request.hurried else limit(deadline), CUT_NOW if request.away else "")
                told = "; ".join(filter(None, said))
                detach.tell(_described(self._comms, request.result(Status.TIMEOUT, Aftermath.BUSY, told)))
                ending = await request.ended(detach.limit - deadline)
                deadline = detach.limit
            return await self._end.conclude(request, ending or "overdue", deadline)
        except asyncio.CancelledError:
            await _finish(self._end.conclude(request, "stopped", deadline))
            raise
        finally:
            self._alarms.check.clear()

    async def ask(self, question: str, arguments: Json) -> Json:
        """Ask a kernel that is `prepared`, also while a cell runs; raises NotAnswered. Waits for ever."""
        return answer_of(await self._replied(question_request(question, arguments, self._stamp())))

    async def look_up(self, kind: Lookup, code: str, cursor: int) -> Json:
        """Ask about code that is being written, while no cell runs; raises NotAnswered. Waits for ever."""
        return (await self._replied(lookup_request(kind, code, cursor, self._stamp()))).content

    def usage(self) -> Json | None:
        """What the kernel and all that it started use; None where only it can tell."""
        return self._transport.usage() if self.gone is None else None

    async def _tell_answer(self, content: Json) -> None:
        """Give the kernel the answer to a tool call; raises NotAnswered. Waits until it has it."""
        await self._replied(answer_message(content, self._stamp()))

    async def run_unseen(self, source: str) -> None:
        """Have the kernel run a cell of ours, unseen, after the one that runs; raises NotAnswered."""
        await self._replied(execute_request(source, self._stamp(), silent=True))

    async def _replied(self, message: Message) -> Message:
        if self.gone is not None:
            raise NotAnswered(self.gone.sentence)
        with self._questions.expecting(message.id) as reply:
            await self._transport.send(message)
            return await reply

    def hurry(self) -> None:
        """Have the deadline of the cell that runs now, if there is one, be over."""
        if self._request is not None:
            self._request.hurry()

    def stop(self) -> None:
        """Interrupt the cell that runs now, if there is one; its result says `interrupted`."""
        if self._request is not None:
            self._request.end("stopped")

    def answer(self, question: str, answer: Secret) -> None:
        """Answer the question of that id; one that is not open (any more) is left alone."""
        request, line = self._request, line_of(answer)
        if self._calls is not None and self._calls.answer(question, line):
            return
        if request is not None and request.answer(question, line):
            request.keep(self._deliver(request, line))

    async def _deliver(self, request: PendingRequest, line: Secret) -> None:
        """Send an answer; where the way is cut, when it is there again: nobody would be asked twice."""
        await request.reached()
        await self._transport.send(input_reply(line, self._stamp()))

    def retell(self, *, asks: bool) -> None:
        """Tell once more what the cell shows and asks: somebody else listens, and asks a person or not."""
        if self._request is not None:
            self._request.retell(asks=asks)

    async def close(self, *, keep: bool = False) -> None:
        """Release the kernel; `keep` leaves one running that can be found again."""
        if keep and self.gone is None:
            await self._comms.take_leave()
        self.gone = self.gone or Gone(Status.REPLACED, "The kernel was shut down.")
        self._questions.end(self.gone.sentence)
        self._comms.detach(self._transport.send)
        if self._request is not None:
            self._request.end(self.gone)
        await self._transport.close(keep=keep)

    async def restart(self) -> None:
        """Restart the kernel; a cell that runs ends as `replaced`. This client is then no longer usable."""
        self.gone = self.gone or Gone(Status.REPLACED, "The kernel was restarted.")
        self._questions.end(self.gone.sentence)
        self._comms.detach(self._transport.send)
        if self._request is not None:
            self._request.end(self.gone)
        await bounded(self._transport.restart(), RESTART_TIMEOUT)
        await self._transport.close(keep=True)

    async def check(self) -> Gone | None:
        """Look whether the kernel is still there."""
        gone = await self._transport.check()
        self.gone = self.gone or gone
        return self.gone

    async def _probe(self, request: PendingRequest) -> None:
        """Ask the shell for a sign of life: the answer to this comes only after the reply to the cell.

        So when it is there and the reply is not, there will be none. A kernel that still runs the cell (the
        idle status was a forked child's, or forged) does not answer.
        """
        stamp = self._stamp()
        request.probes.add(stamp.id)
        await self._transport.send(kernel_info_request(stamp))


async def _keep_checking(request: PendingRequest, check: Callable[[], Awaitable[Gone | None]]) -> None:
    """Look whether the kernel is still there, for as long as a cell takes."""
    while True:
        try:
            if gone := await check():
                request.end(gone)
        except Exception:
            log.exception("checking the kernel failed")
        await asyncio.sleep(CHECK_EVERY)


async def _finish(work: Coroutine[Any, Any, object]) -> None:
    """Do something to its end although the task is being cancelled; what is done must be bounded itself."""
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            continue
        except Exception:
            return  # the cancellation is what the caller must hear of


def _described(comms: Comms, result: Result) -> Result:
    """A result with what its widgets are by now."""
    if comms.silent:
        return result
    outputs = comms.described(result.outputs)
    return result if outputs == result.outputs else replace(result, outputs=outputs)
