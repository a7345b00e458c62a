"""How a block changes while its cell runs and after: each function gives the next value. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from coderunner.outputs import Output, Question, Result, Status
from coderunner.page.block_state import Block, BlockPanel, State
from coderunner.text.line_diff import differ

ELSEWHERE = Result(status=Status.LOST, detail="another process is running it")


class Run(Protocol):
    """A stored run of a block."""

    @property
    def code(self) -> str:
        """The code that ran."""

    @property
    def started(self) -> float | None:
        """When it was sent to the kernel; None if never."""

    @property
    def result(self) -> Result | None:
        """Its result; None while that is not known."""

    @property
    def later(self) -> tuple[Output, ...]:
        """Its outputs after its end."""


ARun = TypeVar("ARun", bound=Run)


def recalled(block: Block, runs: Sequence[ARun], panel: Callable[[ARun], BlockPanel | None]) -> Block | None:
    """`block` as its stored runs say, in their order; None if there are none.

    If there are several, the last is the one that a person started, shown below the first.
    `panel` gives the widgets of a run.
    """
    sent = [run for run in runs if run.started] or list(runs[-1:])
    if not sent:
        return None

    def of(block: Block, run: ARun) -> Block:
        end = ended(replace(block, source=run.code, panel=panel(run)), run.result or ELSEWHERE)
        return replace(end, later=run.later)

    if len(sent) == 1:
        return of(block, sent[0])
    below = Block(
        id=f"{block.id}-again", repeat=True, of=block.ticket, first=_before(sent[0].code, sent[-1].code)
    )
    return replace(of(block, sent[0]), again=of(below, sent[-1]))


def asked(block: Block, source: str, ticket: str) -> Block:
    """It waits for approval."""
    return replace(block, source=source, state=State.WAITING, ticket=ticket, elapsed=0.0)


def started(
    block: Block, source: str, ticket: str, *, queued: bool = False, panel: BlockPanel | None = None
) -> Block:
    """It runs, or waits in the queue; `panel` has the widgets that it shows."""
    state = State.QUEUED if queued else State.RUNNING
    # Where it waited for approval, a person may have changed it.
    first = _before(block.source, source) if block.state is State.WAITING else block.first
    new = replace(block, source=source, state=state, ticket=ticket, elapsed=0.0, panel=panel, first=first)
    return replace(new, preparing="")


def _before(source: str, edited: str) -> str:
    """The code before a person changed it; empty where nobody has."""
    return source if differ(source, edited) else ""


def prepared(block: Block, words: str) -> Block:
    """Something is done or waited for before it runs, which `words` tell; empty: now it runs."""
    return replace(block, preparing=words)


def cut_off(block: Block, lost: bool) -> Block:  # noqa: FBT001 - what is told, as it is told
    """While it runs the connection to its kernel is lost, or is there again."""
    return replace(block, cut=lost)


def inquired(block: Block, question: Question | None) -> Block:
    """Its program asks a person something; None: it asks nothing any more."""
    return replace(block, question=question)


def showed(block: Block, index: int, output: Output | None) -> Block:
    """Its output at `index` is new or has changed; None: all from there on are gone."""
    return replace(block, outputs=_with(block.outputs, index, output))


def aged(block: Block, elapsed: float) -> Block:
    """Time has passed: `elapsed` seconds since it was handed over."""
    return replace(block, elapsed=elapsed - block.queued)


def ended(block: Block, result: Result) -> Block:
    """It has ended."""
    return replace(block, state=State.ENDED, result=result, outputs=result.outputs, question=None, cut=False)


def went_on(block: Block, result: Result) -> Block:
    """The reply continues without it; `result` is its result so far."""
    return replace(block, state=State.LATE, outputs=result.outputs, elapsed=result.duration, question=None)


def late_showed(block: Block, index: int, output: Output | None, elapsed: float) -> Block:
    """The same as `showed`, for a block that runs on after its deadline."""
    return replace(showed(block, index, output), elapsed=elapsed)


def settled(block: Block, question: Question) -> Block:
    """A block that runs on after its deadline does not ask that any more."""
    return replace(block, question=None) if block.question == question else block


def showed_later(block: Block, index: int, output: Output | None) -> Block:
    """The same as `showed`, for an output after its end."""
    return replace(block, later=_with(block.later, index, output))


def came_up(block: Block) -> Block:
    """The block in the queue is next."""
    if block.state is not State.QUEUED:
        return block
    return replace(block, state=State.RUNNING, queued=block.elapsed, elapsed=0.0)


def never_ran(block: Block) -> Block:
    """Its reply continued or ended before it ran."""
    return replace(block, state=State.UNFINISHED, question=None)


def passed(block: Block) -> Block:
    """Something follows it in the reply; if its fence is still open, it never closes."""
    return never_ran(block) if block.state is State.WRITING else block


def left(block: Block) -> Block:
    """Its reply is over, however it ended: the block does not change any more."""
    match block.state:
        case State.WRITING | State.WAITING | State.QUEUED:
            return never_ran(block)
        case State.RUNNING:
            return ended(block, Result(block.outputs, Status.LOST, duration=block.elapsed))
    return block


def _with(outputs: tuple[Output, ...], index: int, output: Output | None) -> tuple[Output, ...]:
    before, after = outputs[:index], outputs[index + 1 :]
    return before if output is None else (*before, output, *after)
