"""A block as pages show it: its code, its outputs and its state. Pure values."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from coderunner.languages import fenced_as
from coderunner.outputs import Error, Output, Question, Refusal, Result
from coderunner.page.append_only_text import AppendOnlyText


class State(StrEnum):
    """The state of a block."""

    WRITING = "writing"
    WAITING = "waiting"
    """It waits for a person's approval."""
    QUEUED = "queued"
    """It waits for an earlier block that still runs."""
    RUNNING = "running"
    LATE = "late"
    """It runs on after its deadline, while the reply continues without it."""
    ENDED = "ended"
    UNFINISHED = "unfinished"
    """The reply ended or continued before it ran, so it never runs."""


class BlockPanel(Protocol):
    """The widgets of a block, as pages show and change them. May be used from any thread."""

    def watch(self, hear: Callable[[bytes], None]) -> None:
        """Send everything to `hear`, then each change; `hear` returns at once and is called in any thread."""

    def leave(self, hear: Callable[[bytes], None]) -> None:
        """Send nothing more."""

    def receive(self, message: bytes) -> None:
        """Take a message of a page."""


@dataclass(frozen=True, slots=True)
class Block:
    """Code with its outputs and its state."""

    written: str | AppendOnlyText = ""
    """The fence as it stands in the reply, its opening line included."""
    source: str = ""
    """The code that runs; known once the fence is closed."""
    state: State = State.WRITING
    ticket: str = ""
    """Identifies the block in the page's requests to run, skip or stop it; cannot be guessed."""
    outputs: tuple[Output, ...] = ()
    result: Result | None = None
    elapsed: float = 0.0
    """Seconds that it has waited or run."""
    queued: float = 0.0
    """Seconds that it waited in the queue before."""
    read: str = ""
    """What the model read of the result."""
    question: Question | None = None
    """What its program asks; the id is the ticket of the answer, which cannot be guessed either."""
    later: tuple[Output, ...] = ()
    """Outputs of its threads and tasks after its end; the model does not read them."""
    ordinal: int | None = None
    """The number of blocks before it in the reply; known once the fence is closed."""
    again: "Block | None" = None
    """The same code, run again by a person."""
    id: str = ""
    """Identifies it in pages, from its first line on; cannot be guessed."""
    panel: BlockPanel | None = None
    """Its widgets."""
    imported: bool = False
    """Its code and its first result came from a file."""
    preparing: str = ""
    """What is done or waited for before it runs, in a few words."""
    cut: bool = False
    """While it runs the connection to its kernel is lost, and tried again."""
    repeat: bool = False
    """It is the block below another one whose code a person has run again."""
    of: str = ""
    """The ticket of that other one."""
    first: str = ""
    """The code as it was before a person changed it; empty where nobody has."""

    @property
    def stoppable(self) -> bool:
        """A button can stop it."""
        return self.state in (State.QUEUED, State.RUNNING, State.LATE)

    @property
    def code(self) -> str:
        """The code to show, even while it is being written."""
        return self.source or _inside(str(self.written))

    @property
    def language(self) -> str:
        """The first word of its info string; empty where it stands in no fence."""
        written = self.written.first if isinstance(self.written, AppendOnlyText) else self.written
        return fenced_as(written.partition("\n")[0])

    @property
    def closed(self) -> bool:
        """Its fence is closed."""
        return bool(self.source) or _closed(str(self.written))

    def wrote(self, text: str) -> "Block":
        """The block with more of its fence; a closing line comes in one piece."""
        grown = self.written if isinstance(self.written, AppendOnlyText) else AppendOnlyText(self.written)
        return replace(self, written=grown + text)

    @property
    def complete(self) -> bool:
        """Whether the text added last has closed the fence; costs no more than that text."""
        if not isinstance(self.written, AppendOnlyText):
            return self.closed
        opening, last = self.written.first.partition("\n")[0], self.written.last
        whole = self.written.before == "\n" or "\n" in last.rstrip()
        return whole and last.endswith(("\n", "\r")) and _closed(f"{opening}\n{last}")

    @property
    def shown(self) -> tuple[Output, ...]:
        """Its outputs so far."""
        return self.result.outputs if self.result else self.outputs

    @property
    def told(self) -> str:
        """What the model of this chat has read of it; of one that came from a file, that is not known."""
        return "" if self.imported else self.read

    @property
    def error_told(self) -> bool:
        """The model has read of its error, and not only that it ran on when the reply went on."""
        errors = (output.ename for output in self.shown if isinstance(output, Error))
        return bool(self.told.strip()) and all(name in self.told for name in errors)

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """What the sandbox refused to it; nothing once it was run again, since that says it anew."""
        return self.result.refusals if self.result is not None and self.again is None else ()

    def allowing(self, refusal: Refusal) -> str:
        """The ticket with which a button allows exactly that and runs the block again; empty if none can."""
        ticket = self.of or self.ticket
        what = f"{refusal.access} {refusal.grant}".encode("utf-8", "surrogatepass")
        return f"{ticket}.{hashlib.sha256(what).hexdigest()[:16]}" if ticket else ""

    def allowed(self, ticket: str) -> Refusal | None:
        """What the button of that ticket allows; None if this block, or its latest run, has none such."""
        each = self.again or self
        offered = (refusal for refusal in each.refusals if refusal.offer)
        return next((refusal for refusal in offered if each.allowing(refusal) == ticket), None)


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
    """The lines in a fence, which may still be open, without its indentation."""
    opening, newline, rest = fence.partition("\n")
    if not newline:
        return ""
    opened = _MARKER.search(opening)
    # In a list the fence's marker comes after the item's own.
    indent, marker = (opened.start(), opened[0][0]) if opened else (0, "`")
    lines = rest.split("\n")
    while lines and re.fullmatch(rf"\s*{re.escape(marker)}*\s*", lines[-1]):
        lines.pop()
    return "\n".join(line[min(indent, len(line) - len(line.lstrip(" "))) :] for line in lines)
