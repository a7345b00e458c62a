"""How far a run has come, and what is to be done about one that is saved already. Pure.

::

    queued ──▶ sent ──▶ running ──▶ detached ──▶ ended
      │          │         └────────────────────▶ ended
      ▼          └──────────────────────────────▶ ended
    unsent

What was sent may have run: nobody sends it again. What was not sent did not run: whoever comes next may.
"""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """How far a run has come."""

    QUEUED = "queued"
    """It is saved; nothing was sent."""
    SENT = "sent"
    """The request is on its way, or the kernel has it."""
    RUNNING = "running"
    """It has shown something."""
    DETACHED = "detached"
    """It runs beyond its deadline: the model was told, and its end will be told later."""
    ENDED = "ended"
    """It has come to its end; its status says which."""
    UNSENT = "unsent"
    """It ended before it was sent: it did not run."""


NEXT: Mapping[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.SENT, State.UNSENT}),
    State.SENT: frozenset({State.RUNNING, State.DETACHED, State.ENDED}),
    State.RUNNING: frozenset({State.DETACHED, State.ENDED}),
    State.DETACHED: frozenset({State.ENDED}),
    State.ENDED: frozenset(),
    State.UNSENT: frozenset(),
}
"""The transitions that are allowed; every other one is refused."""

OVER = frozenset({State.ENDED, State.UNSENT})


def before(state: State) -> frozenset[State]:
    """The states from which `state` may follow."""
    return frozenset(earlier for earlier, later in NEXT.items() if state in later)


class Verdict(StrEnum):
    """What is to be done about a run that is saved already."""

    RUN = "run"
    """It did not run: whoever asks may run it."""
    WAIT = "wait"
    """Somebody has it in hand: wait for the end."""
    TELL = "tell"
    """The outcome is known."""
    LOSE = "lose"
    """It was sent, and who could tell of its end is gone."""


_VERDICTS: Mapping[State, tuple[Verdict, Verdict]] = {
    #               its owner lives   its owner is gone
    State.QUEUED: (Verdict.WAIT, Verdict.RUN),
    State.SENT: (Verdict.WAIT, Verdict.LOSE),
    State.RUNNING: (Verdict.WAIT, Verdict.LOSE),
    State.DETACHED: (Verdict.TELL, Verdict.LOSE),
    State.ENDED: (Verdict.TELL, Verdict.TELL),
    State.UNSENT: (Verdict.RUN, Verdict.RUN),
}


def verdict(state: State, *, owned: bool) -> Verdict:
    """What is to be done about a run in `state`; `owned`: the process that has it in hand lives."""
    alive, gone = _VERDICTS[state]
    return alive if owned else gone
