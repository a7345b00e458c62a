"""Tells whoever shows a cell what has changed in its outputs: at once, and then at most so often."""

import asyncio
import logging
from collections.abc import Callable

from coderunner.kernel.protocol.cell_outputs import CellOutputs, Change

UPDATE_EVERY = 0.05
"""Seconds between two rounds of `on_output` at the fastest: twice what an eye can follow."""


class OutputUpdates:
    """Those of one cell; in the loop."""

    def __init__(self, execution: CellOutputs, on_output: Callable[[Change], None] | None) -> None:
        self._execution, self._on_output = execution, on_output
        self._loop = asyncio.get_running_loop()
        self._planned: asyncio.TimerHandle | None = None
        self._updated = 0.0

    def plan(self) -> None:
        """Tell what has changed, if anything has, as soon as that may be."""
        if self._on_output is None or self._planned is not None or not self._execution.changed:
            return
        wait = self._updated + UPDATE_EVERY - self._loop.time()
        if wait <= 0:
            self._tell()
        else:
            self._planned = self._loop.call_later(wait, self._tell)

    def tell_now(self) -> None:
        """Tell it before anything else is told."""
        if self._planned is not None:
            self._planned.cancel()
        self._tell()

    def retell(self) -> None:
        """Tell everything anew."""
        self._execution.retell()
        if self._planned is None:
            self._tell()

    def _tell(self) -> None:
        self._planned = None
        if not self._execution.changed:
            return
        self._updated = self._loop.time()
        if self._on_output is not None:
            for change in self._execution.take_changes():
                try:
                    self._on_output(change)
                except Exception:
                    # A page that cannot be redrawn must not end the cell.
                    logging.getLogger(__name__).exception("an output could not be shown")
