"""Who may run a block: decided within a transaction, so that of all who ask one gets the right to."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from coderunner.outputs import Result, Status
from coderunner.records.active_run import ActiveRun
from coderunner.records.database import run_queries
from coderunner.records.database.run_queries import Key, Record
from coderunner.records.database.run_states import State, Verdict, verdict
from coderunner.records.leases import Leases

GONE = "CodeRunner stopped while it ran"
NEVER_SENT = "CodeRunner stopped before it was sent"


@dataclass(frozen=True, slots=True)
class Held:
    """A run that this process owns, with what was written of it when it was claimed."""

    run: ActiveRun
    key: Key
    code: str
    place: str
    attempt: int


class Claims:
    """Decisions about runs; each method is called within a transaction."""

    def __init__(self, leases: Leases, made: Callable[[str], ActiveRun]) -> None:
        """`made` returns the `ActiveRun` of a new run, by its id."""
        self._leases = leases
        self._made = made
        self._lock = threading.Lock()
        self._in_hand: set[str] = set()
        """The runs of this process that are not over, or are just being claimed."""

    def take(self, identity: str) -> None:
        """Take that this process has the run of that id in hand, or may have in a moment."""
        with self._lock:
            self._in_hand.add(identity)

    def let_go(self, identity: str) -> None:
        """Take that it has not any more: what is written of it is all that will be."""
        with self._lock:
            self._in_hand.discard(identity)

    def owned(self, connection: Connection, record: Record) -> bool:
        """Whether somebody who lives has a run in hand.

        One of ours that we know nothing of was written by a transaction that we took for failed.
        """
        if record.owner == self._leases.me.id:
            with self._lock:
                return record.id in self._in_hand
        return self._leases.alive(connection, record.owner)

    def claim(
        self, connection: Connection, key: Key, code: str, place: str, *, identity: str, again: bool
    ) -> Held | Record:
        """The right to run a block as the run of that id, or what is known of a run that counts."""
        last = run_queries.latest(connection, key, code, alone=True)
        if last is not None and last.id == identity:  # the first try was written after all
            return Held(self._made(identity), key, code, place, last.attempt)
        if last is not None:
            found = self.judge(connection, last)
            if found is Verdict.LOSE:
                last = self.lose(connection, last)
            if found is Verdict.WAIT or (found is not Verdict.RUN and not again):
                return last
            self.bury(connection, last)
        attempt = last.attempt + 1 if last is not None else 1
        owner = self._leases.me.id
        write = partial(run_queries.add, connection, key, code, attempt=attempt, owner=owner)
        write(place=place, identity=identity)
        return Held(self._made(identity), key, code, place, attempt)

    def judge(self, connection: Connection, record: Record) -> Verdict:
        """What is to be done about a run that is saved."""
        return verdict(record.state, owned=self.owned(connection, record))

    def lose(self, connection: Connection, record: Record) -> Record:
        """Say that nobody can tell how a run ended; returns the record as it is then."""
        shown = run_queries.outputs(connection, record.id)
        end = run_queries.ending(Result(shown, Status.LOST, detail=GONE)) | {"ended": time.time()}
        run_queries.advance(connection, record.id, record.owner, State.ENDED, end)
        return run_queries.find(connection, record.id) or record

    def bury(self, connection: Connection, record: Record) -> bool:
        """End a run that was left behind, if it was; returns whether it is lost by this."""
        match self.judge(connection, record):
            case Verdict.LOSE:
                self.lose(connection, record)
                return True
            case Verdict.RUN if record.state is State.QUEUED:
                end = run_queries.ending(Result(status=Status.ABORTED, detail=NEVER_SENT)) | {
                    "ended": time.time()
                }
                run_queries.advance(connection, record.id, record.owner, State.UNSENT, end)
        return False

    def look(self, connection: Connection, identity: str) -> Record | None:
        """A run as it is by now, ended here where it was left behind."""
        record = run_queries.find(connection, identity)
        if record is not None and record.result is None:
            self.bury(connection, record)
            record = run_queries.find(connection, identity)
        return record

    def hold(self, connection: Connection, held: Held) -> None:
        """Save a run in new tables, as far as it has come."""
        owner, state = self._leases.me.id, held.run.state
        what = partial(run_queries.add, connection, held.key, held.code, attempt=held.attempt, owner=owner)
        what(place=held.place, identity=held.run.id)
        if state is not State.QUEUED:
            run_queries.advance(connection, held.run.id, owner, State.SENT, {"sent": time.time()})
