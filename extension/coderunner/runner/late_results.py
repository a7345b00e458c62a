"""What a cell shows after its end, for the record and for a host."""

import threading
from collections.abc import Callable, Sequence

from coderunner.kernel.protocol.cell_outputs import Change
from coderunner.outputs import Output
from coderunner.records.run_once import ReplyRun


class LateResults:
    """The later output of one cell; may be used from any thread."""

    def __init__(self, entry: ReplyRun, known: Sequence[Output] = ()) -> None:
        """`known` is what an earlier process heard of it: what comes now stands below that."""
        self._entry = entry
        self._lock = threading.Lock()
        self._above = len(known)
        self._outputs = list(known)
        self._listener: Callable[[Change], None] | None = None

    def show(self, change: Change) -> None:
        """Take what changed: it is written down, whoever listens."""
        change = Change(self._above + change.index, change.output)
        self._entry.add(change.index, change.output)
        with self._lock:
            self._outputs[change.index :] = (
                [change.output, *self._outputs[change.index + 1 :]] if change.output is not None else []
            )
            listener = self._listener
        if listener is not None:
            listener(change)

    def listen(self, on_output: Callable[[Change], None]) -> None:
        """Have all that there is, and all that changes from now on, given to `on_output` alone.

        In the caller's thread what there is, in a thread of the kernel's what changes.
        """
        with self._lock:
            self._listener = on_output
            so_far = [Change(index, output) for index, output in enumerate(self._outputs)]
        for change in so_far:
            on_output(change)
