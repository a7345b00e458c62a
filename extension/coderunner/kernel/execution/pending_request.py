"""One request to a kernel, from sending it to the first thing that ends the wait for it."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

from coderunner.kernel.background_tasks import begin
from coderunner.kernel.execution.deadline import Alarms, CellClock
from coderunner.kernel.execution.output_updates import OutputUpdates
from coderunner.kernel.protocol.cell_outputs import CellOutputs, Change
from coderunner.kernel.protocol.message_gaps import MessageGaps
from coderunner.kernel.protocol.messages import Message
from coderunner.outputs import Aftermath, MimeBundle, Question, Result, Status
from coderunner.secret_value import Secret

PROBE_AFTER = 0.5
"""Seconds after an idle status without a reply until the kernel is asked whether a reply will come."""
SILENCE = 2.0
"""Seconds without any message after a reply without an idle status until the kernel is asked for a sign of
life: a large output may be on its way still, and the answer comes after it."""
ASK_AGAIN = 1.0
"""Seconds until a kernel that does not answer after a cut is asked again; each time twice as long."""
ASK_AT_LEAST = 8.0
"""The longest of these pauses."""
TRAIL = 0.5
"""Seconds that outputs may come after an answer on shell: they travel on another socket."""
LAST_WORD = 0.1
"""Seconds for what a kernel that does not number its messages says after the end of a cell: deno shows the
value of a cell that awaits when it has said that it is idle."""
STRAY = 0.05
"""Seconds that a reply may come after the kernel said that it has ended the request behind it, where replies
have gone to somebody else before."""
ANSWER = 600.0
"""Seconds for a person to answer a question; meanwhile no other time of the cell passes."""
NOBODY = 2.0
"""Seconds after a cell's deadline for somebody to say that they ask a person in place of the reply."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The kernel, or the connection to it, is gone."""

    status: Literal[Status.DIED, Status.REPLACED, Status.LOST]
    sentence: str
    """For the kernel's status on a page; how a cell ended, its own status says."""
    keep: bool = True
    """The kernel may be used again where it is still there: emptied, or only our way to it was lost."""
    heir: bool = False
    """Another process takes its place by itself, and the requests that it had not taken up."""
    detail: str = ""
    """Why, in a clause that is said behind the end of the cell that ran."""


@dataclass(frozen=True, slots=True)
class Away:
    """The connection to the kernel is lost; it is looked for again, and `Back` or `Gone` follows."""


@dataclass(frozen=True, slots=True)
class Back:
    """The connection is back; what was missed follows, as far as it was kept."""


Event = Message | Gone | Away | Back
Ending = Gone | Literal["complete", "overdue", "stopped", "unheard", "unanswered", "unreplied"]
"""What ended the wait; `unheard`: the program asks, and nobody answers; `unanswered`: it runs no more, and
the connection was lost when its reply came; `unreplied`: the server gave the reply to somebody else."""
OnQuestion = Callable[[Question | None], None]
"""Told what the program asks, and with None that the question is answered or withdrawn; in the loop."""


NO_REPLY = Gone(Status.DIED, "The kernel stopped working without a reply.")
LOST = Gone(Status.LOST, "The connection to the Jupyter server was lost.")
RESTARTED = Gone(Status.REPLACED, "The kernel was restarted while the connection was down.")


class PendingRequest:
    """One request: what it has shown, and the first thing that ended the wait for it."""

    def __init__(
        self,
        execution: CellOutputs,
        on_output: Callable[[Change], None] | None,
        probe: Callable[["PendingRequest"], Coroutine[Any, Any, None]],
        on_question: OnQuestion | None = None,
        process: str = "",
        *,
        alarms: Alarms,
        alone: bool = False,
        deaf: bool = False,
    ) -> None:
        """`alone`: what the kernel says all comes this way, so a number that is missing is a message.

        `deaf`: the server has given a reply to somebody else before, and will do so again.
        """
        self.execution = execution
        self.gaps = MessageGaps(execution.request)
        self.probes: set[str] = set()
        """The ids of the requests that asked for a sign of life."""
        self.away = False
        """The connection to the kernel is lost."""
        self._found: asyncio.Event | None = None
        """Set when the connection that was lost is there again."""
        self.cut = False
        """It was cut at least once."""
        self.heard_out = False
        """All that it showed was there before the first cut: only its reply can be missing."""
        self.process = process
        """What the process that took up the request calls its session."""
        self.heir: Gone | None = None
        """The kernel died before it took up the request, which waits for the process in its place."""
        self.taken_by = ""
        """What the process that ran it calls its session, once it is heard of."""
        self._alive = False
        self.rested = False
        """The kernel has ended what came after it, and it has no reply."""
        self._alone = alone
        self._deaf = deaf
        self.hurried = False
        """It goes on by itself before its deadline."""
        self._waits_for_gap = False
        self.answered_by = ""
        """What the process that gave the last sign of life calls its own."""
        self._probe = probe
        self._updates = OutputUpdates(execution, on_output)
        self._loop = asyncio.get_running_loop()
        self._ending: Ending | None = None
        self._began = time.monotonic()
        self.stopping = False
        """The cell is being stopped already; a further wish to stop says nothing new."""
        self._on_question = on_question
        self._answer_within = ANSWER if on_question is not None else 0.0
        self._question: Question | None = None
        self._consent: Question | None = None
        self._alarms = alarms
        self.clock = CellClock(alarms.deadline)
        self._answer_due: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._patient = False
        """It waits for something for so long only, or did."""
        self._asking: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def receive(self, message: Message) -> None:
        """Take a message of the kernel, whoever it is for."""
        self.execution.receive(message)
        if self.execution.question is not self._question:
            self._heed_question()
        self.gaps.note(message)
        if message.parent == self.execution.request:
            self.process = self.process or message.session
            self.taken_by = self.taken_by or message.session
        self._updates.plan()
        if self.execution.complete and not self.gaps.early:
            self._complete()
        elif self.execution.idle or self.execution.reply or self.cut or self.heir:
            self._wait_for_the_other_half(message)

    def _complete(self) -> None:
        if self.gaps.unnumbered:
            self._be_patient(LAST_WORD, lambda: self.end("complete"), again=True)
        elif not self._alone or not self.gaps.gap:
            self.end("complete")
        elif not self._waits_for_gap:
            # A thread may have taken a number before the cell's last message had its own, and be slower.
            self._waits_for_gap = True
            self._be_patient(TRAIL, self._end_without_it, again=True)

    def _wait_for_the_other_half(self, message: Message) -> None:
        if message.parent in self.probes and message.type == "kernel_info_reply":
            self.answered_by = message.session
            self._alive = True
        if message.parent in self.probes and message.content.get("execution_state") == "idle":
            self._expect_no_reply()
        if self._alive and (self.cut or self.execution.reply):
            self._be_patient(TRAIL, self._end_without_it, again=True)
        elif self._alive:
            self.end(self.heir or NO_REPLY)
        elif self.execution.reply:
            self._be_patient(SILENCE, self._ask, again=True)
        elif self.execution.idle:
            self._be_patient(0.0 if self._deaf else PROBE_AFTER, self._ask, again=False)

    def _expect_no_reply(self) -> None:
        """The kernel has ended what came after the request: its replies are there by now, or come to others.

        A server that opens several connections in one name has a kernel reply to the last; all hear the rest.
        """
        if self.execution.idle and not (self.rested or self._alive or self.cut or self.execution.reply):
            self.rested = True
            self._be_patient(STRAY if self._deaf else TRAIL, lambda: self.end("unreplied"), again=True)

    def _end_without_it(self) -> None:
        without: Ending = "unreplied" if self.heard_out else "unanswered"
        self.end("complete" if self.execution.reply else without)

    def _be_patient(self, seconds: float, then: Callable[[], None], *, again: bool) -> None:
        if again or not self._patient:
            self._patient = True
            self._alarms.patience.set(seconds, then)

    def _ask(self) -> None:
        self.keep(self._probe(self))

    @property
    def waits(self) -> bool:
        """Nothing shows that the kernel took up the request, and nothing of it can have been missed."""
        return not (self.execution.started or self.execution.reply or self.cut or self.stopping)

    def lose_the_way(self) -> None:
        """The connection to the kernel is lost; the deadline goes on."""
        self.heard_out = self.heard_out or (not self.cut and self.execution.started and self.execution.idle)
        if not self.away:
            self._found = asyncio.Event()
        self.away = self.cut = True

    def inherit(self, gone: Gone) -> None:
        """The kernel died before it took up the request; where its heir has none, `gone` is the end."""
        self.heir, self.process = gone, ""
        self._ask()

    def find_the_way(self) -> None:
        """It is there again; the reply may be lost, so the kernel is asked until it is at rest."""
        self.away = False
        if self._found is not None:
            self._found.set()
        if self._asking is not None:
            self._asking.cancel()
        self._asking = self.keep(self._keep_asking())

    async def reached(self) -> None:
        """Return while there is a connection to the kernel: at once, or when it is there again."""
        while self.away and self._found is not None:
            await self._found.wait()

    async def _keep_asking(self) -> None:
        # More than once: a server that has just opened the way may drop what comes first.
        pause = ASK_AGAIN
        while True:
            await self._probe(self)
            await asyncio.sleep(pause)
            pause = min(2 * pause, ASK_AT_LEAST)
            if self.execution.idle and not self._alive and pause == ASK_AT_LEAST:
                # Outputs reach us, answers do not: the server gives them to a connection that is no more.
                self._end_without_it()

    # --- how it ends ------------------------------------------------------------------------------

    def end(self, ending: Ending) -> None:
        """Say that it has ended. The first one counts, only that the facts count more than a wish to stop."""
        if ending == "stopped" and self.stopping:
            return
        if self._ending in (None, "stopped"):
            self._ending = ending
        self._wake()

    def hurry(self) -> None:
        """Have the time of the wait for its end be over, though no limit was reached."""
        self.hurried = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def ended(self, within: float) -> Ending | None:
        """Wait for an ending and take it; None after `within` seconds.

        Those in which the program waits for a person do not count.
        """
        if self._ending is None:
            self._waiter = self._loop.create_future()
            self.clock.begin(within, self._wake)
            try:
                await self._waiter
            finally:
                self.clock.end()
                self._waiter = None
        ending, self._ending = self._ending, None
        self.stopping = self.stopping or ending is not None
        if self._question is not None:
            self._heed_question()
        return ending

    def result(self, status: Status, aftermath: Aftermath, detail: str) -> Result:
        """What it has shown and how it stands."""
        ran, took = self.execution, time.monotonic() - self._began
        return Result(ran.outputs, status, aftermath, ran.execution_count, took, detail, (), *ran.made)

    # --- what it asks -----------------------------------------------------------------------------

    def answer(self, question: str, line: Secret) -> bool:
        """Close the question of that id; False where it is not open."""
        answered = self.execution.answer(question, line)
        self._heed_question()
        return answered

    @property
    def asks_people(self) -> bool:
        """Somebody lays questions before a person."""
        return self._on_question is not None

    def consult(self, question: Question | None) -> None:
        """Ask a person something of ours; None: it is settled."""
        self._consent = question
        self._heed_question()

    @property
    def asks_in_vain(self) -> bool:
        """Nobody lays its questions before a person."""
        return self._answer_within != ANSWER

    def ask_others(self) -> None:
        """The reply goes on: who lays a question before a person from now on has to say so soon."""
        self._answer_within = NOBODY

    def _heed_question(self) -> None:
        """Tell of a question that has come or gone, and have no time pass while one is open."""
        if self.stopping:
            self.execution.withdraw()
            self._consent = None
        before, self._question = self._question, self.execution.question or self._consent
        if self._question is before:
            return
        self._expect_answer()
        if (before is None) != (self._question is None):
            self.clock.go_on() if self._question is None else self.clock.pause()
        self._tell_question()

    def _expect_answer(self) -> None:
        if self._answer_due is not None:
            self._answer_due.cancel()
        if self._question is not None:
            self._answer_due = self._loop.call_later(self._answer_within, lambda: self.end("unheard"))

    def _tell_question(self) -> None:
        # What stands before the question is shown before it.
        self._updates.tell_now()
        if self._on_question is not None:
            try:
                self._on_question(self._question)
            except Exception:
                logging.getLogger(__name__).exception("an input request could not be shown")
                self.end("unheard")

    # --- telling the outputs ----------------------------------------------------------------------

    def show(self, data: MimeBundle, mark: str) -> None:
        """Add something of ours to its outputs, in place of what has the same mark."""
        self.execution.note(data, mark)
        self._updates.plan()

    def retell(self, *, asks: bool) -> None:
        """Tell everything anew, to somebody else, who lays questions before a person or does not."""
        self._updates.retell()
        if self._on_question is not None:
            self._answer_within = ANSWER if asks else NOBODY
            if self._question is not None:
                self._expect_answer()
                self._tell_question()

    def keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something beside the wait, until it ends."""
        return begin("a background task of a cell failed", work, self._tasks)

    def close(self) -> None:
        """Tell the last changes, and stop all that was planned."""
        self.stopping = True
        if self._question is not None:
            self._heed_question()
        self._alarms.patience.clear()
        if self._answer_due is not None:
            self._answer_due.cancel()
        for task in self._tasks:
            task.cancel()
        self._updates.tell_now()
