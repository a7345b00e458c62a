"""The output of a cell after its end, for the records and for a host."""

import threading
from collections.abc import Callable, Sequence

from coderunner.kernel.protocol.cell_outputs import Change
from coderunner.outputs import Output
from coderunner.records.run_once import ReplyRun


class LateOutputRecorder:
    """The later output of one cell; may be used from any thread."""

    def __init__(self, recorded: ReplyRun, known: Sequence[Output] = ()) -> None:
        """`known`: the later output that is already recorded; new output goes below it."""
        self._recorded = recorded
        self._lock = threading.Lock()
        self._above = len(known)
        self._outputs = list(known)
        self._listener: Callable[[Change], None] | None = None

    def show(self, change: Change) -> None:
        """Record a change, and give it to the listener."""
        change = Change(self._above + change.index, change.output)
        self._recorded.add(change.index, change.output)
        with self._lock:
            self._outputs[change.index :] = (
                [change.output, *self._outputs[change.index + 1 :]] if change.output is not None else []
            )
            listener = self._listener
        if listener is not None:
            listener(change)

    def listen(self, on_output: Callable[[Change], None]) -> None:
        """Give the outputs so far, and all changes from now on, to `on_output` only.

        Called in this thread for the outputs so far, in a thread of the kernel for changes.
        """
        with self._lock:
            self._listener = on_output
            so_far = [Change(index, output) for index, output in enumerate(self._outputs)]
        for change in so_far:
            on_output(change)
