"""Who waits for the end of a run that another process owns."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from coderunner.outputs import Result, Status
from coderunner.records.claims import Claims
from coderunner.records.database import run_queries
from coderunner.records.database.connection import Database
from coderunner.records.database.run_queries import Record
from coderunner.records.write_jobs import Job

Waiter = tuple[str, Future[Result]]
"""The id of a run, and the result that somebody waits for."""

_UNREADABLE = Result(status=Status.LOST, detail="its record cannot be read")
_UNKNOWN = Result(status=Status.LOST, detail="its record has been deleted")


class Waiters:
    """May be used from any thread."""

    def __init__(self, store: Database, claims: Claims, deliver: Callable[[Record], None]) -> None:
        """`deliver` takes each run of which the end is told to who waits."""
        self._deliver = deliver
        self._store = store
        self._claims = claims
        self._lock = threading.Lock()
        self._waiting: list[Waiter] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def result_of(self, record: Record) -> Future[Result]:
        """The outcome of a run, or what comes of it; whoever waits for it no more cancels it."""
        future: Future[Result] = Future()
        if record.result is not None:
            future.set_result(record.result)
            return future
        with self._lock:
            self._waiting.append((record.id, future))
        return future

    def jobs(self) -> list[Job]:
        """What is to be looked up in the next round."""
        with self._lock:
            waiting = list(self._waiting)
        return [Job(each[0], partial(self._tell, each), partial(self._give_up, each)) for each in waiting]

    def _tell(self, waiter: Waiter) -> None:
        identity, future = waiter
        record = None if future.cancelled() else self._store.read(run_queries.find, identity)
        if record is not None and record.result is None:
            # Only where its process is gone there is anything to write.
            gone = not self._store.read(self._claims.owned, record)
            record = self._store.write(self._claims.look, identity) if gone else record
        if record is None or record.result is not None:
            if record is not None:
                self._deliver(record)
            self._answer(waiter, record.result if record and record.result else _UNKNOWN)

    def _give_up(self, waiter: Waiter) -> None:
        self._answer(waiter, _UNREADABLE)

    def _answer(self, waiter: Waiter, result: Result) -> None:
        with self._lock:
            self._waiting.remove(waiter)
        if waiter[1].set_running_or_notify_cancel():
            waiter[1].set_result(result)
