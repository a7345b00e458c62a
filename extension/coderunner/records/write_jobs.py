"""One round of writing after the other: what cannot be written now, or ever, holds up nothing else."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from coderunner.errors import NotRecordable, RecordsUnavailable

log = logging.getLogger(__name__)

AWAY = 2
"""Failures on end after which a round is given up: then it is the database and not what is written. Each may
take as long as the store waits for another process."""
REMEMBERED = 256
"""Conversations of which is known what could not be kept."""


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to write."""

    name: Hashable
    write: Callable[[], object]
    instead: Callable[[], object]
    """What is done where it can never be written: less of it is, or it is released of."""
    label: str = ""
    """The conversation that it is of."""


class WriteJobs:
    """Does jobs, and knows what to tell a person of those that failed; may be used from any thread."""

    def __init__(self, trouble: str = "") -> None:
        """`trouble`: a sentence on what is wrong for as long as this process lives."""
        self._always = trouble
        self._away = ""
        self._lost: OrderedDict[str, str] = OrderedDict()
        self._failed: set[Hashable] = set()
        self._lock = threading.Lock()

    def trouble(self, label: str = "") -> str:
        """A sentence on what is not kept now, or of the conversation of that label; empty where all is."""
        with self._lock:
            return self._away or self._lost.get(label, "") or self._lost.get("", "") or self._always

    def note(self, label: str, sentence: str) -> None:
        """Have a person who looks at a conversation told of it; without a label, at any."""
        log.warning("%s", sentence)
        with self._lock:
            self._lost[label] = sentence
            self._lost.move_to_end(label)
            while len(self._lost) > REMEMBERED:
                self._lost.popitem(last=False)

    def attempt(self, jobs: Iterable[Job]) -> None:
        """Do them all, first those that did not fail in the last round.

        Raises RecordsUnavailable where some could not be done now: they are to come again.
        """
        waiting = sorted(jobs, key=lambda job: job.name in self._failed)
        self._failed &= {job.name for job in waiting}
        failure: RecordsUnavailable | None = None
        on_end = 0
        for job in waiting:
            try:
                self._do(job)
            except RecordsUnavailable as unavailable:
                failure, on_end = unavailable, on_end + 1
                self._failed.add(job.name)
                self.note_away(failure)
                if on_end == AWAY:
                    break
            else:
                on_end = 0
                self._failed.discard(job.name)
        if failure is not None:
            raise failure
        if waiting:
            self.note_away(None)

    def note_away(self, failure: RecordsUnavailable | None) -> None:
        """Have everybody told that nothing can be written now, until it can be."""
        with self._lock:
            self._away = f"Not everything can be saved right now: {failure}." if failure else ""

    def _do(self, job: Job) -> None:
        try:
            job.write()
            return
        except NotRecordable as unfit:
            self.note(job.label, f"Something could not be saved: {unfit}.")
        except RecordsUnavailable:
            raise
        except Exception:
            log.exception("the records failed")
            self.note(job.label, "Something could not be saved; see the log.")
        try:
            job.instead()
        except NotRecordable as unfit:
            log.warning("a shorter version could not be saved either: %s", unfit)
        except RecordsUnavailable:
            raise
        except Exception:
            log.exception("the records failed")
