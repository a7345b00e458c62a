"""What cells show after their end: threads, tasks and programs that they left running go on printing.

Their messages have the ended cell as their parent. They belong to it, and to no cell that runs meanwhile.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable

from coderunner.kernel.execution import Change, Execution
from coderunner.kernel.messages import Message

CELLS = 100
"""Ended cells of a conversation whose later output is known for theirs; that of older ones is dropped."""
COUNT, WHOLE = 50, 4 * 1024 * 1024
"""Outputs, and characters of them, of one cell after its end: what goes on for ever is bounded."""
EVERY = 0.25
"""Seconds between two rounds of telling: nobody waits for this."""

SHOWS = frozenset(
    {"stream", "display_data", "update_display_data", "execute_result", "error", "clear_output"}
)


class Later:
    """The ended cells of one conversation. In the portal's loop."""

    def __init__(self) -> None:
        self._cells: OrderedDict[str, tuple[Execution, Callable[[Change], None]]] = OrderedDict()
        self._due: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None

    def expect(self, request: str, on_later: Callable[[Change], None]) -> None:
        """From now on, tell `on_later` what the cell of that request shows."""
        self._cells[request] = (Execution(request, count=COUNT, whole=WHOLE), on_later)
        while len(self._cells) > CELLS:
            self._due.discard(self._cells.popitem(last=False)[0])

    def receive(self, message: Message) -> None:
        """Take a message of the kernel, whoever it is for."""
        if message.channel != "iopub" or message.type not in SHOWS or message.parent not in self._cells:
            return
        execution, _ = self._cells[message.parent]
        execution.receive(message)
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
        for execution, on_later in [self._cells[request] for request in due]:
            for change in execution.take_changes():
                try:
                    on_later(change)
                except Exception:
                    logging.getLogger(__name__).exception("a later output could not be shown")
