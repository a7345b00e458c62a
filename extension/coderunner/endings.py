"""What is said of the way a cell ended: one table, for the model that reads it and the person who sees it."""

from collections.abc import Mapping

from coderunner.outputs import Aftermath, Status

_KEPT = "variables are kept"
_LOST = "variables are gone"

SENTENCES: Mapping[tuple[Status, Aftermath], str] = {
    (Status.TIMEOUT, Aftermath.READY): f"stopped at the time limit; {_KEPT}",
    (Status.TIMEOUT, Aftermath.BUSY): "still running at the time limit; its result will follow by itself",
    (Status.TIMEOUT, Aftermath.FRESH): f"stopped at the time limit; the kernel was restarted, {_LOST}",
    (Status.INTERRUPTED, Aftermath.READY): f"stopped by the user; {_KEPT}",
    (Status.INTERRUPTED, Aftermath.BUSY): "the user wanted to stop it, but it still runs",
    (Status.INTERRUPTED, Aftermath.FRESH): f"stopped by the user; the kernel was restarted, {_LOST}",
    (Status.ABORTED, Aftermath.READY): "not run: a block before it failed or was stopped",
    (Status.ABORTED, Aftermath.BUSY): "not run: the kernel is busy with another block",
    (Status.ABORTED, Aftermath.FRESH): f"not run; the kernel was restarted, {_LOST}",
    (Status.DIED, Aftermath.READY): "the kernel died while the code ran",
    (Status.DIED, Aftermath.BUSY): "the kernel died while the code ran and does not start again",
    (Status.DIED, Aftermath.FRESH): f"the kernel died while the code ran; {_LOST}",
    (Status.REPLACED, Aftermath.READY): "the kernel was restarted while the code ran",
    (Status.REPLACED, Aftermath.BUSY): "the kernel was ended while the code ran",
    (Status.REPLACED, Aftermath.FRESH): f"the kernel was restarted or ended while the code ran; {_LOST}",
    (Status.LOST, Aftermath.READY): "the connection was lost; whether the code ran to its end is unknown",
    (Status.LOST, Aftermath.BUSY): "the connection was lost; the code may still run",
    (Status.LOST, Aftermath.FRESH): f"the connection was lost; there is a new kernel, {_LOST}",
    (Status.REFUSED, Aftermath.READY): "not run: there is no kernel to run it",
    (Status.REFUSED, Aftermath.BUSY): "not run: the kernel is busy with an earlier block",
    (Status.REFUSED, Aftermath.FRESH): "not run: the kernel did not start",
    (Status.DECLINED, Aftermath.READY): "not run: it was declined",
    (Status.DECLINED, Aftermath.BUSY): "not run: it was declined",
    (Status.DECLINED, Aftermath.FRESH): "not run: it was declined",
}
"""What stands before the first colon or semicolon says it in short; `Result.detail` adds to it."""


def how_it_ended(status: Status, aftermath: Aftermath) -> str:
    """What is said of an end; empty where the outputs say it: the program ended by itself, well or not."""
    return SENTENCES.get((status, aftermath), "")
