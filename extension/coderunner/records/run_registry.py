"""All runs: who may run a block, and what is known of a block that has run."""

import logging
import threading
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from functools import partial
from uuid import uuid4

from sqlalchemy import Connection

from coderunner.errors import NotRecordable, RecordsUnavailable
from coderunner.outputs import Result
from coderunner.records.active_run import ActiveRun, Draft, RunsOver
from coderunner.records.claims import Claims, Held
from coderunner.records.conversation_store import ConversationStore
from coderunner.records.database import (
    conversation_queries,
    history_queries,
    kept_reply_queries,
    run_queries,
)
from coderunner.records.database.connection import Database
from coderunner.records.database.run_queries import NOT_KEPT, Key, Record
from coderunner.records.database.run_states import State, Verdict
from coderunner.records.leases import LeaseHolder, Leases
from coderunner.records.run_lookup import RunLookup
from coderunner.records.waiters import Waiters
from coderunner.records.write_jobs import Job, WriteJobs
from coderunner.records.writer_thread import WriterThread

log = logging.getLogger(__name__)

REMOVED = "The records in {place} were deleted while CodeRunner was running; new ones were created."
DAY = 86_400.0
KEPT = 64
"""Results that may be reported before they are written; more than one at a time is rare."""
SETTLE = 5.0
"""Seconds to wait for what still has to be written."""


class Records(RunLookup):
    """The runs of all conversations; one for the process. Synchronous; may be used from any thread.

    Everything that asks the database raises RecordsUnavailable where that fails.
    """

    def __init__(
        self,
        store: Database,
        *,
        keep_days: float = 0,
        leases: Leases | None = None,
        person: str = "",
        trouble: str = "",
    ) -> None:
        """`keep_days`: days after which a run that is over is forgotten, or a conversation; 0: never.

        `person`: whose conversations these are. `trouble`: what is to be told of them from the start.
        """
        super().__init__(store)
        self._rounds = WriteJobs(trouble)
        self._anew = threading.Lock()
        self._keep = keep_days * DAY
        self._leases = leases or Leases(LeaseHolder.me())
        self._lock = threading.Lock()
        self._here = False
        self._live: dict[str, Held] = {}
        self._late: dict[str, Result] = {}
        self._told: deque[Result] = deque(maxlen=KEPT)
        self._given: deque[str] = deque(maxlen=KEPT)
        """Runs of which the model was told where they stand."""
        self._removed = False
        """The file was; what goes on is not saved in the new one yet."""
        self._forgotten = 0.0
        self._writer = WriterThread(self._write_all, self._pulse)
        self._over = RunsOver(self._writer.wake)
        self._claims = Claims(self._leases, lambda run: ActiveRun(run, self._send, self._over))
        self._waiters = Waiters(store, self._claims, self.deliver)
        self.conversations = ConversationStore(store, self._writer.wake, person)
        """The conversations."""
        self._begin()

    def _begin(self) -> None:
        """Find what others left. A server that is away is waited for; who shares one looks after it."""
        if self._store.away is not None:
            self._rounds.note_away(self._store.away)
            self._writer.begin_without(self._store.away)
        else:
            self._tidy()
        if self._store.shared:
            self._writer.wake()

    def trouble(self, conversation: str = "") -> str:
        """A sentence for a person on what is not kept, at all or of that conversation; empty where all is."""
        return self._rounds.trouble(conversation)

    # --- one block ----------------------------------------------------------------------------------------

    def claim(self, key: Key, code: str, *, again: bool = False, place: str = "") -> ActiveRun | Record:
        """The right to run a block, for one of all who ask; the others get what is known of the run.

        `again`: a person wants it run once more, although it was. `place`: where it is to run, in words.
        """
        self._look_after_the_file()
        self._arrive()
        identity = uuid4().hex
        self._claims.take(identity)
        claimed: Held | Record | None = None
        try:
            claimed = self._store.write(self._claims.claim, key, code, place, identity=identity, again=again)
        finally:
            if not isinstance(claimed, Held):
                self._claims.let_go(identity)
        if isinstance(claimed, Record):
            return claimed
        with self._lock:
            self._live[claimed.run.id] = claimed
        return claimed.run

    def recall(self, key: Key, code: str) -> Record | None:
        """What is known of a block; None where it did not run and nobody has it in hand."""
        self._look_after_the_file()
        last = self._store.read(run_queries.latest, key, code)
        if last is None:
            return None
        found = self._store.read(self._claims.judge, last)
        if found is Verdict.LOSE:
            last = self._store.write(self._claims.lose, last)
        return None if found is Verdict.RUN else last

    def take_undelivered(self, conversation: str) -> list[Record]:
        """The ends of runs that the model does not know of and no process that lives will tell.

        Each of them once, whoever asks. What a process left that has just died is lost by this.
        """
        left = self._untold(conversation)
        if any(each.state is not State.ENDED for each in left):
            for each in left:
                self._store.write(self._claims.bury, each)
            left = self._untold(conversation)
        ended = [each for each in left if each.state is State.ENDED]
        return [each for each in ended if self._store.write(run_queries.deliver, each.id)]

    def _untold(self, conversation: str) -> list[Record]:
        every = self._store.read(run_queries.untold, conversation)
        return [each for each in every if not self._store.read(self._leases.alive, each.owner)]

    def deliver(self, record: Record) -> None:
        """Note that the model is told how a run ended, where it stands in its reply."""
        if record.state is State.ENDED:
            with self._lock:
                self._given.append(record.id)
        if not record.delivered and record.state is State.ENDED:
            self._store.write(run_queries.deliver, record.id)

    def told(self, result: Result) -> bool:
        """Note that the model is told how a run of this process ended that went on after its deadline.

        False where it was told already, where the run stands in its reply: that was gone on with.
        """
        with self._lock:
            self._told.append(result)
            late = [identity for identity, its in self._late.items() if its is result]
            known = any(identity in self._given for identity in late)
            for identity in late:
                del self._late[identity]
        for identity in late:
            self._store.write(run_queries.deliver, identity)
        return not known

    def ended(self, record: Record) -> Future[Result]:
        """The outcome of a run, or what comes of it, wherever it runs; its end is seen within a second.

        Whoever waits for it no more cancels it.
        """
        future = self._waiters.result_of(record)
        if not future.done():
            self._writer.wake()
        return future

    def follow(self, record: Record) -> ActiveRun:
        """Writes down what comes of a run that is over: the state of its widgets, and later outputs."""
        shown = len(record.result.outputs) if record.result else 0
        return self._over.added(ActiveRun.over(record.id, record.state, shown, record.later, self._over))

    # --- all of them --------------------------------------------------------------------------------------

    def settle(self, timeout: float = SETTLE) -> bool:
        """Wait until all is written; False where it is not after `timeout` seconds."""
        return self._writer.settle(timeout)

    def sweep(self) -> int:
        """Find runs whose process is gone, and say of each its outcome; gives how many are lost."""
        left = self._store.read(run_queries.unfinished, but=self._leases.me.id)
        lost = sum(self._store.write(self._claims.bury, record) for record in left)
        self._store.write(self._leases.bury)
        return lost

    def close(self) -> None:
        """Write what is left, bounded; runs that have not ended by then count as lost.

        A database that takes nothing is waited for once, however much is left.
        """
        self._writer.close()
        try:
            self._close_those_left()
            self._store.write(self._leases.leave)
        except RecordsUnavailable as failure:
            log.warning("%s", failure)
        self._store.close()

    def _close_those_left(self) -> None:
        """Write at least how a run ended, of those whose outputs the database does not take."""
        for held in list(self._live.values()):
            if (draft := held.run.draft()) is not None and draft.result is not None:
                bare = replace(draft, outputs=(NOT_KEPT,), known=())
                with suppress(NotRecordable):
                    self._store.write(self._write, held.run, bare, singly=True)

    # --- writing ------------------------------------------------------------------------------------------

    def _arrive(self) -> None:
        """Be known before the first claim: a run whose owner nobody knows is taken for left behind."""
        with self._lock:
            if not self._here:
                self._store.write(self._leases.beat)
                self._here = True
                self._writer.wake(soon=True)

    def _send(self, identity: str, request: str) -> bool:
        values = {"sent": time.time(), "request": request}
        return self._store.write_safely(run_queries.advance, identity, self._leases.me.id, State.SENT, values)

    def _write_all(self) -> bool:
        try:
            self._look_after_the_file()
        except RecordsUnavailable as failure:
            self._rounds.note_away(failure)
            raise
        with self._lock:
            held = list(self._live.values())
        ended = self._over.all(besides={each.run for each in held})
        jobs = [self._job(each.run, each.key.conversation) for each in held]
        jobs += [*self.conversations.jobs(), *(self._job(run) for run in ended)]
        self._rounds.attempt([*jobs, *self._waiters.jobs()])
        return len(self._waiters) > 0

    def _job(self, run: ActiveRun, label: str = "") -> Job:
        write = partial(self._write_run, run)
        return Job(run, write, partial(write, singly=True), label)

    def _write_run(self, run: ActiveRun, *, singly: bool = False) -> None:
        widgets, modules = run.take_widgets(), run.take_modules()
        try:
            if widgets:
                self._store.write(run_queries.keep_widgets, run.id, widgets)
            if modules:
                self._store.write(run_queries.keep_modules, run.id, modules)
        except NotRecordable as unfit:
            log.warning("widget states could not be saved: %s", unfit)
        except RecordsUnavailable:
            run.give_back(widgets, modules)
            raise
        # What it showed after its end comes after that is written.
        while (draft := run.draft()) is not None:
            try:
                ours = self._store.write(self._write, run, draft, singly=singly)
            except NotRecordable:
                if singly and run.written(draft):  # it holds up nothing else
                    self._let_go(run, draft, ours=False)
                raise
            if run.written(draft):
                self._let_go(run, draft, ours=ours)
            if not ours:
                return
        self._over.let_go(run)

    def _let_go(self, run: ActiveRun, draft: Draft, *, ours: bool) -> None:
        self._claims.let_go(run.id)
        if ours:
            self._over.added(run)
        with self._lock:
            self._live.pop(run.id, None)
            told = any(result is draft.result for result in self._told)
            if run.late and draft.result is not None and not told:
                self._late[run.id] = draft.result
        if run.late and told:
            self._store.write(run_queries.deliver, run.id)

    def _write(self, connection: Connection, run: ActiveRun, draft: Draft, *, singly: bool) -> bool:
        """Write it; False where the run is not ours any more. `singly`: without what cannot be kept of it."""
        if draft.after is not None:
            known, after = draft.known, draft.after
            shown = draft.outputs
            return run_queries.show_later(connection, run.id, shown, known=known, after=after, singly=singly)
        values = run_queries.ending(draft.result) if draft.result is not None else {}
        if draft.state in (State.ENDED, State.UNSENT):
            values |= {"ended": time.time(), "delivered": int(not run.late)}
        change = run_queries.withdraw if draft.state is State.UNSENT else run_queries.advance
        ours = change(connection, run.id, self._leases.me.id, draft.state, values)
        if ours:
            run_queries.show(connection, run.id, draft.outputs, known=draft.known, singly=singly)
        else:
            log.warning("a run that was recorded as lost has ended after all")
        return ours

    def _look_after_the_file(self) -> None:
        """Where somebody removed it, what goes on is saved in a new one; what is over is gone."""
        with self._anew:
            self._removed = self._store.renew() or self._removed
            if self._removed:
                self._begin_anew()
                self._removed = False

    def _begin_anew(self) -> None:
        self._rounds.note("", REMOVED.format(place=self.place))
        self.conversations.begin_anew()
        with self._lock:
            held = list(self._live.values())
        self._store.write(self._leases.beat)
        for each in held:
            self._store.write(self._claims.hold, each)
            each.run.write_anew()

    def _pulse(self) -> None:
        try:
            self._store.write(self._leases.beat)
            self._tidy()
        except RecordsUnavailable as failure:
            self._rounds.note_away(failure)
            raise

    def _tidy(self) -> None:
        self.sweep()
        if self._keep and time.time() - self._forgotten > DAY:
            self._forgotten = time.time()
            self._store.write(_forget, self._forgotten - self._keep)


def _forget(connection: Connection, before: float) -> None:
    conversation_queries.forget(connection, before)
    history_queries.forget(connection, before)
    kept_reply_queries.forget(connection, before)
    run_queries.forget(connection, before)
