"""A cell that is on its way, as a host holds it."""

import asyncio
import logging
from concurrent.futures import Future
from dataclasses import dataclass

from coderunner.kernel.client import KernelClient
from coderunner.kernel.portal import Portal
from coderunner.outputs import Result, Status


class Running:
    """A cell that is on its way; may be used from any thread."""

    def __init__(self, portal: Portal, cell: "Queued", work: Future[Result]) -> None:
        self.future: Future[Result] = Future()
        """The result to come; it never fails."""
        self._portal = portal
        self._cell = cell
        work.add_done_callback(lambda done: self.future.set_result(_outcome(done)))

    def wait(self, timeout: float | None = None) -> Result | None:
        """Wait for the end; None when it has not come after `timeout` seconds."""
        try:
            return self.future.result(timeout)
        except TimeoutError:
            return None

    def interrupt(self) -> None:
        """Have this cell stopped, whether it waits or runs; returns at once.

        A cell that has ended stays as it is.
        """
        self._portal.post(self._cell.stop)


@dataclass(slots=True, eq=False)
class Queued:
    """One cell between the call and its end."""

    task: "asyncio.Task[Result] | None" = None
    client: KernelClient | None = None
    stopped: bool = False

    def stop(self) -> None:
        """End it, wherever it is; in the loop."""
        if self.task is None or self.task.done():
            self.stopped = True
        elif self.client is not None:
            self.client.stop()
        elif not self.stopped:
            self.stopped = True
            self.task.cancel()


def _outcome(done: Future[Result]) -> Result:
    if done.cancelled():
        return Result(status=Status.LOST, detail="We were shut down while it ran.")
    if error := done.exception():
        logging.getLogger(__name__).error("a cell failed in us", exc_info=error)
        return Result(status=Status.LOST, detail=f"CodeRunner itself failed ({type(error).__name__}).")
    return done.result()
