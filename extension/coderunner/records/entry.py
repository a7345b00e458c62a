"""A run that this process has in hand: what it shows and how it ends, gathered for the scribe."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from coderunner.outputs import Output, Result
from coderunner.records.states import NEXT, OVER, State


class Wake(Protocol):
    """Has what changed written, at once or `soon`."""

    def __call__(self, *, soon: bool = False) -> None:
        """Return at once, from any thread."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be written of a run."""

    state: State
    outputs: tuple[Output, ...]
    known: tuple[Output, ...]
    """What is written already."""
    result: Result | None


class Entry:
    """One run; may be used from any thread. Only `send` waits for the database."""

    def __init__(self, identity: str, send: Callable[[str], bool], wake: Wake) -> None:
        self.id = identity
        self.state = State.QUEUED
        self.late = False
        """It went on after its deadline: whoever ran it has gone on without its end."""
        self._send = send
        self._wake = wake
        self._lock = threading.Lock()
        self._outputs: list[Output] = []
        self._known: tuple[Output, ...] = ()
        self._result: Result | None = None
        self._changed = False

    def send(self) -> bool:
        """Write down that the request is being sent: to be called right before that.

        False where the run is not ours any more: it must not be sent then. Raises RecordsUnavailable.
        """
        # Under the lock: a cell that is stopped meanwhile ends either before or after it was sent.
        with self._lock:
            if self.state is not State.QUEUED or not self._send(self.id):
                return False
            self._follow(State.SENT)
        return True

    def show(self, index: int, output: Output | None) -> None:
        """Take what changed: `output` now stands at `index`; None: all from there on are gone."""
        with self._lock:
            if self.state in OVER:
                return
            del self._outputs[index : None if output is None else index + 1]
            if output is not None:
                self._outputs.insert(index, output)
            self._changed = True
            if self.state is State.SENT:
                self._follow(State.RUNNING)
        self._wake(soon=True)

    def detach(self, result: Result) -> None:
        """Take what the model is told of a run that goes on."""
        self._close(State.DETACHED, result)

    def finish(self, result: Result) -> None:
        """Take what came of it. One that was never sent did not run, and may be claimed anew."""
        self._close(None, result)

    def draft(self) -> Draft | None:
        """What is to be written; None where nothing has changed."""
        with self._lock:
            if not self._changed:
                return None
            return Draft(self.state, tuple(self._outputs), self._known, self._result)

    def written(self, draft: Draft) -> bool:
        """Take note that *draft* is written; tells whether there is nothing more to come."""
        with self._lock:
            self._known = draft.outputs
            self._changed = (self.state, tuple(self._outputs)) != (draft.state, draft.outputs)
            return draft.state in OVER

    def _close(self, state: State | None, result: Result) -> None:
        with self._lock:
            self.late = self.late or state is State.DETACHED
            self._follow(state or (State.UNSENT if self.state is State.QUEUED else State.ENDED))
            self._result, self._outputs, self._changed = result, list(result.outputs), True
        self._wake()

    def _follow(self, state: State) -> None:
        if state not in NEXT[self.state]:
            message = f"a run that is {self.state} cannot become {state}"
            raise ValueError(message)
        self.state = state
