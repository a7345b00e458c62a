"""A block as pages show it: code, what became of it, and how far it has come. Pure values."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from coderunner.outputs import Output, Question, Result
from coderunner.page.growing_text import GrowingText


class State(StrEnum):
    """How far a block has come."""

    WRITING = "writing"
    WAITING = "waiting"
    """It waits for a person's consent."""
    QUEUED = "queued"
    """It waits for an earlier block that still runs."""
    RUNNING = "running"
    LATE = "late"
    """It goes on after its deadline, and the reply without it."""
    ENDED = "ended"
    UNFINISHED = "unfinished"
    """The reply ended, or went on, before it ran: it never does."""


class BlockPanel(Protocol):
    """The widgets of a block, as pages see and move them. May be used from any thread."""

    def watch(self, hear: Callable[[bytes], None]) -> None:
        """Tell `hear` everything, and from now on what changes; it returns at once, in any thread."""

    def leave(self, hear: Callable[[bytes], None]) -> None:
        """Tell it no more."""

    def receive(self, parcel: bytes) -> None:
        """Take what a page says."""


@dataclass(frozen=True, slots=True)
class Block:
    """Code with what became of it: one unit."""

    written: str | GrowingText = ""
    """The fence as it stands in the reply, its opening line included."""
    source: str = ""
    """The code that runs; known when the fence is closed."""
    state: State = State.WRITING
    ticket: str = ""
    """Names this block in the page's requests to run, skip or stop it; nobody can guess it."""
    outputs: tuple[Output, ...] = ()
    result: Result | None = None
    elapsed: float = 0.0
    """Seconds that it waits or runs."""
    queued: float = 0.0
    """Seconds that it waited in line before."""
    read: str = ""
    """What the model read of the result."""
    question: Question | None = None
    """What its program asks; the id is the ticket of the answer, which nobody can guess either."""
    later: tuple[Output, ...] = ()
    """What its threads and tasks showed after its end; the model does not read it."""
    ordinal: int | None = None
    """How many blocks stand before it in the reply; known when the fence is closed."""
    again: "Block | None" = None
    """The same code as a person has run it once more."""
    id: str = ""
    """Names it in pages, from its first line to its end and after; nobody can guess it."""
    panel: BlockPanel | None = None
    """Its widgets."""
    repeat: bool = False
    """It is a block of its own below the one whose code a person has run once more."""

    @property
    def stoppable(self) -> bool:
        """A button can stop it."""
        return self.state in (State.QUEUED, State.RUNNING, State.LATE)

    @property
    def code(self) -> str:
        """The code to show, also while it is being written."""
        return self.source or _inside(str(self.written))

    @property
    def closed(self) -> bool:
        """The last line of its fence is there."""
        return bool(self.source) or _closed(str(self.written))

    def wrote(self, text: str) -> "Block":
        """It with more of its fence; a closing line comes whole."""
        grown = self.written if isinstance(self.written, GrowingText) else GrowingText(self.written)
        return replace(self, written=grown + text)

    @property
    def complete(self) -> bool:
        """What was written last has closed the fence: `closed` at the cost of that alone."""
        if not isinstance(self.written, GrowingText):
            return self.closed
        opening, last = self.written.first.partition("\n")[0], self.written.last
        whole = self.written.before == "\n" or "\n" in last.rstrip()
        return whole and last.endswith(("\n", "\r")) and _closed(f"{opening}\n{last}")

    @property
    def shown(self) -> tuple[Output, ...]:
        """What it has shown so far."""
        return self.result.outputs if self.result else self.outputs


_MARKER = re.compile("`{3,}|~{3,}")


def _closed(fence: str) -> bool:
    opening, _, rest = fence.partition("\n")
    last = rest.rstrip().rpartition("\n")[2]
    marker = _MARKER.search(opening)
    if marker is None or not last:
        return False
    # CommonMark 4.5: at least as long, and indented by less than four more.
    deep = len(last) - len(last.lstrip(" ")) > marker.start() + 3
    return not deep and set(last.strip()) == {marker[0][0]} and len(last.strip()) >= len(marker[0])


def _inside(fence: str) -> str:
    """The lines within a fence that may not be closed yet, without its indentation."""
    opening, newline, rest = fence.partition("\n")
    if not newline:
        return ""
    opened = _MARKER.search(opening)
    # In a list the marker stands behind the item's own.
    indent, marker = (opened.start(), opened[0][0]) if opened else (0, "`")
    lines = rest.split("\n")
    while lines and re.fullmatch(rf"\s*{re.escape(marker)}*\s*", lines[-1]):
        lines.pop()
    return "\n".join(line[min(indent, len(line) - len(line.lstrip(" "))) :] for line in lines)
