"""What cells show after their end: threads, tasks and programs that they left running go on printing.

Their messages have the ended cell as their parent. They belong to it, and to no cell that runs meanwhile.
So does the new state of a display of theirs, whoever updates it: the message has the display's id alone.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coderunner.kernel.execution import Change, Execution, display_id_of
from coderunner.kernel.messages import Message
from coderunner.outputs import DisplayData, ExecuteResult, Output

CELLS = 100
"""Ended cells of a conversation whose later output is known for theirs; that of older ones is dropped."""
COUNT, WHOLE = 50, 4 * 1024 * 1024
"""Outputs, and characters of them, of one cell after its end: what goes on for ever is bounded."""
EVERY = 0.25
"""Seconds between two rounds of telling: nobody waits for this."""

SHOWS = frozenset(
    {"stream", "display_data", "update_display_data", "execute_result", "error", "clear_output"}
)


@dataclass(frozen=True, slots=True)
class _Ended:
    execution: Execution
    displays: frozenset[str]
    """The ids of what it displayed up to its end."""
    on_later: Callable[[Change], None]


class Later:
    """The ended cells of one conversation. In the portal's loop."""

    def __init__(self) -> None:
        self._cells: OrderedDict[str, _Ended] = OrderedDict()
        self._due: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None

    def expect(
        self, request: str, on_later: Callable[[Change], None], outputs: Sequence[Output] = ()
    ) -> None:
        """From now on, tell `on_later` what the cell of that request, with these `outputs`, shows."""
        shown = (output for output in outputs if isinstance(output, DisplayData | ExecuteResult))
        displays = frozenset(output.display_id for output in shown if output.display_id)
        self._cells[request] = _Ended(Execution(request, count=COUNT, whole=WHOLE), displays, on_later)
        while len(self._cells) > CELLS:
            self._due.discard(self._cells.popitem(last=False)[0])

    def receive(self, message: Message) -> None:
        """Take a message of the kernel, whoever it is for."""
        if message.channel != "iopub" or message.type not in SHOWS:
            return
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

    def _plan(self, execution: Execution) -> None:
        if execution.changed:
            self._due.add(execution.request)
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(EVERY, self._tell)

    def close(self) -> None:
        """Tell what there is; nothing comes any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._tell()
        self._cells.clear()

    def _tell(self) -> None:
        self._timer = None
        due, self._due = self._due, set()
        for cell in [self._cells[request] for request in due]:
            for change in cell.execution.take_changes():
                try:
                    cell.on_later(change)
                except Exception:
                    logging.getLogger(__name__).exception("a later output could not be shown")
