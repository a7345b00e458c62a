"""What cells show after their end: threads, tasks and programs that they left running go on printing.

Their messages have the ended cell as their parent. They belong to it, and to no cell that runs meanwhile.
So does the new state of a display of theirs, whoever updates it: the message has the display's id alone.
"""

import asyncio
import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from coderunner.kernel.protocol.cell_outputs import CellOutputs, Change
from coderunner.kernel.protocol.message_content import display_id_of
from coderunner.kernel.protocol.messages import SHOWS, Message
from coderunner.kernel.protocol.output_delta import UnsentOutput
from coderunner.outputs import DisplayData, ExecuteResult, Output

CELLS = 100
"""Ended cells of a conversation whose later output is known for theirs; that of older ones is dropped."""
COUNT, WHOLE = 50, 4 * 1024 * 1024
"""Outputs, and characters of them, of one cell after its end: what goes on for ever is bounded."""
EVERY = 0.25
"""Seconds between two rounds of updates: nobody waits for this."""


@dataclass(frozen=True, slots=True)
class _Ended:
    execution: CellOutputs
    displays: frozenset[str]
    """The ids of what it displayed up to its end."""
    on_later: Callable[[Change], None]
    changes: list[Change] = field(default_factory=list)
    """What `on_later` is to be told."""
    untold: UnsentOutput = field(default_factory=UnsentOutput)

    def collect(self) -> None:
        """Note what changed."""
        changes = self.execution.take_changes()
        self.changes.extend(changes)
        for change in changes:
            self.untold.receive(change)


class LateOutput:
    """The ended cells of one conversation. In the I/O thread's loop, but for `take`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Held by whoever changes what follows."""
        self._cells: OrderedDict[str, _Ended] = OrderedDict()
        self._left: deque[tuple[Output, ...]] = deque(maxlen=CELLS)
        """What nobody took of cells that are forgotten."""
        self._due: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None

    def expect(
        self, request: str, on_later: Callable[[Change], None], outputs: Sequence[Output] = ()
    ) -> None:
        """From now on, tell `on_later` what the cell of that request, with these `outputs`, shows."""
        shown = (output for output in outputs if isinstance(output, DisplayData | ExecuteResult))
        displays = frozenset(output.display_id for output in shown if output.display_id)
        with self._lock:
            self._cells[request] = _Ended(CellOutputs(request, count=COUNT, whole=WHOLE), displays, on_later)
            while len(self._cells) > CELLS:
                oldest, cell = self._cells.popitem(last=False)
                self._due.discard(oldest)
                self._keep(cell)

    def take(self, *, newest: bool = True) -> list[tuple[Output, ...]]:
        """Return what cells have shown after their end since this was last called, each in its own list.

        From any thread. Without `newest`, that of the cell which ended last is left for the next call.
        """
        with self._lock:
            cells = list(self._cells.values())
            taken = [*self._left]
            self._left.clear()
            for cell in cells if newest else cells[:-1]:
                cell.collect()
                taken.append(cell.untold.take())
        return [outputs for outputs in taken if outputs]

    def take_over(self, earlier: "LateOutput") -> None:
        """Return what `earlier` still had to give."""
        taken = earlier.take()
        with self._lock:
            self._left.extendleft(reversed(taken))

    def receive(self, message: Message) -> None:
        """Take a message of the kernel, whoever it is for."""
        if message.channel != "iopub" or message.type not in SHOWS:
            return
        with self._lock:
            self._receive(message)

    def _receive(self, message: Message) -> None:
        if message.type == "update_display_data":
            display_id = display_id_of(message.content)
            for cell in self._cells.values():
                if display_id in cell.displays or cell.execution.displays(display_id):
                    cell.execution.follow_up(message)
                    self._plan(cell.execution)
        elif message.parent in self._cells:
            execution = self._cells[message.parent].execution
            execution.receive(message)
            self._plan(execution)

    def _plan(self, execution: CellOutputs) -> None:
        if execution.changed:
            self._due.add(execution.request)
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(EVERY, self._tell)

    def close(self) -> None:
        """Tell what there is; nothing comes any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._tell()
        with self._lock:
            for cell in self._cells.values():
                self._keep(cell)
            self._cells.clear()

    def _keep(self, cell: _Ended) -> None:
        cell.collect()
        if outputs := cell.untold.take():
            self._left.append(outputs)

    def _tell(self) -> None:
        self._timer = None
        with self._lock:
            due, self._due = self._due, set()
            told: list[tuple[_Ended, list[Change]]] = []
            for cell in [self._cells[request] for request in due]:
                cell.collect()
                told.append((cell, [*cell.changes]))
                cell.changes.clear()
        for cell, changes in told:
            for change in changes:
                try:
                    cell.on_later(change)
                except Exception:
                    logging.getLogger(__name__).exception("a later output could not be shown")
