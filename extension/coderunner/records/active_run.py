"""A run of this process: what it shows and how it ends, collected for the writer thread."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol
from weakref import WeakSet

from coderunner.outputs import Output, Result
from coderunner.records.database.run_states import NEXT, OVER, State


class Wake(Protocol):
    """Has what changed written, at once or `soon`."""

    def __call__(self, *, soon: bool = False) -> None:
        """Return at once, from any thread."""


class Changes(Protocol):
    """Has what changed of a run written, at once or `soon`, and holds the run until it is."""

    def __call__(self, run: "ActiveRun", *, soon: bool = False) -> None:
        """Return at once, from any thread."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What still has to be written of a run."""

    state: State
    outputs: tuple[Output, ...]
    known: tuple[Output, ...]
    """What is written already."""
    result: Result | None
    after: int | None = None
    """Of what the run shows after its end: how many outputs its result has. None: it is no such thing."""


class ActiveRun:
    """One run; may be used from any thread. Only `send` waits for the database."""

    def __init__(self, identity: str, send: Callable[[str, str], bool], changes: Changes) -> None:
        self.id = identity
        self.state = State.QUEUED
        self.late = False
        """It went on after its deadline: whoever ran it has gone on without its end."""
        self._send = send
        self._changes = changes
        self._lock = threading.Lock()
        self._outputs: list[Output] = []
        self._known: tuple[Output, ...] = ()
        self._result: Result | None = None
        self._so_far: Result | None = None
        self._waited_for_until: float | None = None
        self._changed = False
        self._after: int | None = None
        self._later: list[Output] = []
        self._known_later: tuple[Output, ...] = ()
        self._widgets = ""
        self._modules: dict[str, str] = {}

    @classmethod
    def over(
        cls, identity: str, state: State, shown: int, later: tuple[Output, ...], changes: Changes
    ) -> "ActiveRun":
        """A run that an earlier process owned; `shown`: how many outputs its result has."""
        run = cls(identity, lambda *_: False, changes)
        run.state, run._after, run._later, run._known_later = state, shown, list(later), later
        return run

    def send(self, request: str = "") -> bool:
        """Record that the request of that id is being sent: call this right before.

        False where the run is not ours any more: it must not be sent then. Raises RecordsUnavailable.
        """
        # Under the lock: a cell that is stopped meanwhile ends either before or after it was sent.
        with self._lock:
            if self.state is not State.QUEUED or not self._send(self.id, request):
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
        self._changes(self, soon=True)

    def add(self, index: int, output: Output | None) -> None:
        """Do what `show` does, to what the run shows after its end."""
        with self._lock:
            del self._later[index : None if output is None else index + 1]
            if output is not None:
                self._later.insert(index, output)
            self._changed = True
        self._changes(self, soon=True)

    def keep(self, widgets: str) -> None:
        """Take the state of the widgets that the run shows, as it is now; also after its end."""
        with self._lock:
            self._widgets = widgets
        self._changes(self, soon=True)

    @property
    def has_changed(self) -> bool:
        """Whether something is to be written."""
        with self._lock:
            return bool(self._changed or self._widgets or self._modules)

    def take_widgets(self) -> str:
        """Return what `keep` took last, once; empty where nothing is to be written."""
        with self._lock:
            widgets, self._widgets = self._widgets, ""
        return widgets

    def keep_module(self, name: str, content: str) -> None:
        """Take a program of these widgets that their kernel's environment has."""
        with self._lock:
            self._modules[name] = content
        self._changes(self, soon=True)

    def give_back(self, widgets: str, modules: Mapping[str, str]) -> None:
        """Have written later what was taken; what came since counts more."""
        with self._lock:
            self._widgets = self._widgets or widgets
            self._modules = {**modules, **self._modules}

    def write_anew(self) -> None:
        """What was written is gone: have all of it written once more."""
        with self._lock:
            self._known, self._changed = (), self._changed or self.state not in (State.QUEUED, *OVER)

    def take_modules(self) -> dict[str, str]:
        """Return what `keep_module` took since, once."""
        with self._lock:
            modules, self._modules = self._modules, {}
        return modules

    def leave(self, seconds: float) -> None:
        """Take that whoever ran it has gone and told the model nothing.

        Whoever asks for it within `seconds` waits for its end; later it counts as detached.
        """
        with self._lock:
            self.late, self._waited_for_until = True, time.monotonic() + seconds

    def detach(self, result: Result) -> None:
        """Take what the model is told of a run that goes on; where it was left, what it could be told."""
        with self._lock:
            self._so_far = result
            if self._waited_for_until is not None:
                return
        self._close(State.DETACHED, result)

    def finish(self, result: Result) -> None:
        """Take its outcome. One that was never sent did not run, and may be claimed anew."""
        self._close(None, result)

    def draft(self) -> Draft | None:
        """What still has to be written; None where nothing has changed."""
        with self._lock:
            self._detach_if_left()
            if not self._changed:
                return None
            if self._after is not None:
                return Draft(self.state, tuple(self._later), self._known_later, None, self._after)
            return Draft(self.state, tuple(self._outputs), self._known, self._result)

    def written(self, draft: Draft) -> bool:
        """Note that *draft* is written; returns whether the run is over by that."""
        with self._lock:
            if draft.after is not None:
                self._known_later = draft.outputs
                self._changed = tuple(self._later) != draft.outputs
                return False
            self._known = draft.outputs
            self._changed = (self.state, tuple(self._outputs)) != (draft.state, draft.outputs)
            if draft.state in OVER:
                # Only what comes after its end is written from now on.
                self._after, self._changed = len(draft.outputs), bool(self._later)
                self._outputs, self._known, self._result = [], (), None
            return draft.state in OVER

    def _detach_if_left(self) -> None:
        until, so_far = self._waited_for_until, self._so_far
        if until is None or so_far is None or time.monotonic() < until:
            return
        if State.DETACHED in NEXT[self.state]:
            self._follow(State.DETACHED)
            self._result, self._changed = replace(so_far, outputs=tuple(self._outputs)), True

    def _close(self, state: State | None, result: Result) -> None:
        with self._lock:
            self.late = self.late or state is State.DETACHED
            self._follow(state or (State.UNSENT if self.state is State.QUEUED else State.ENDED))
            self._result, self._outputs, self._changed = result, list(result.outputs), True
        self._changes(self)

    def _follow(self, state: State) -> None:
        if state not in NEXT[self.state]:
            message = f"a run that is {self.state} cannot become {state}"
            raise ValueError(message)
        self.state = state


class RunsOver:
    """The runs whose end is written, for as long as somebody may tell what they show later: `Changes` of all.

    One of which something is to be written is held until it is, also when nobody else has it any more.
    """

    def __init__(self, wake: Wake) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._runs: WeakSet[ActiveRun] = WeakSet()
        self._changed: set[ActiveRun] = set()

    def __call__(self, run: ActiveRun, *, soon: bool = False) -> None:
        """Hold a run, over or not, and have what changed of it written."""
        with self._lock:
            self._changed.add(run)
        self._wake(soon=soon)

    def added(self, run: ActiveRun) -> ActiveRun:
        """Take a run whose end is written; gives it."""
        with self._lock:
            self._runs.add(run)
        return run

    def all(self, besides: set[ActiveRun]) -> list[ActiveRun]:
        """All of them. Runs that are neither among them nor `besides` are nobody's to write, and let go."""
        with self._lock:
            over = list(self._runs)
            self._changed &= besides.union(over)
        return over

    def let_go(self, run: ActiveRun) -> None:
        """Hold a run no more, unless something of it has changed again."""
        with self._lock:
            if not run.has_changed:
                self._changed.discard(run)
