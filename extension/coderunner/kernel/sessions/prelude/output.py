"""Everything that a cell shows arrives, and is assigned to that cell.

- A figure that a thread or a task makes between two cells is shown as output of the first, when the second
  begins. IPython shows it at the end of the second, as a plot of that cell.
- Output that is shown faster than it is read is queued, up to `WAITING` messages. ipykernel silently drops
  everything after the first thousand.
- What the subprocesses of a cell write is shown before the cell ends. ipykernel reads it from a pipe in
  another thread, and may show the end of it after the cell.
"""

import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import zmq
from IPython.core.getipython import get_ipython

if TYPE_CHECKING:
    from coderunner.kernel.sessions.prelude.events import replace_callback

WAITING = 100_000
CHANGEABLE = (4, 3, 5)
"""The first libzmq in which the limit may be changed after a client has left; before, a kernel may crash."""
HANDOVER = 0.0002
"""Seconds in which another thread gets to run."""
DRAINING = 1.0
"""The longest wait, in seconds: a program in the background may write forever."""


def show_figures_with_their_cell(shell: Any) -> None:
    """Show figures that were made between two cells as output of the earlier one."""
    origin: Any = getattr(shell.display_pub, "_parent_header", None)
    if not hasattr(origin, "set"):
        return  # in ipykernel 6 displayed data always belongs to the newest cell
    last: list[Any] = []

    def remember_cell() -> None:
        last[:] = [origin.get()]

    def show_figures_between() -> None:
        inline: Any = sys.modules.get("matplotlib_inline.backend_inline")
        if not last or inline is None or not inline.show._draw_called:
            return
        token = origin.set(last[0])
        try:
            inline.flush_figures()
        finally:
            origin.reset(token)

    replace_callback(shell, "post_execute", remember_cell)
    replace_callback(shell, "pre_execute", show_figures_between)


def queue_output(shell: Any) -> None:
    """Queue what a cell shows for the clients that are connected when it first shows something."""
    thread = shell.kernel.iopub_thread
    if zmq.zmq_version_info() < CHANGEABLE:
        return
    bare: Any = getattr(thread._really_send, "bare", thread._really_send)
    narrow = [False]

    def widen() -> None:
        narrow[0] = True

    # A socket belongs to its thread, and to wake that for this alone costs a cell a third of a millisecond.
    def send(*arguments: Any, **options: Any) -> None:
        if narrow[0] and thread._is_master_process():
            narrow[0] = False
            with suppress(zmq.ZMQError, AttributeError):  # at the kernel's end it has none any more
                thread.socket.sndhwm = WAITING
        bare(*arguments, **options)

    send.bare = bare  # type: ignore[attr-defined]
    thread._really_send = send
    replace_callback(shell, "pre_execute", widen)


def drain_pipes(shell: Any) -> None:
    """At the end of a cell, wait at most `DRAINING` for the rest in the pipes of stdout and stderr."""
    try:
        import fcntl
        import termios
    except ImportError:
        return  # on Windows ipykernel has no such pipes
    streams: list[Any] = [sys.stdout, sys.stderr]
    ours = [each for each in streams if isinstance(getattr(each, "_fid", None), int)]
    pipes = [each._fid for each in ours]
    clocks = [time.pthread_getcpuclockid(each.watch_fd_thread.ident) for each in ours]
    ioctl, count, nothing = fcntl.ioctl, termios.FIONREAD, bytes(4)
    monotonic, sleep, clock = time.monotonic, time.sleep, time.clock_gettime_ns
    worked = [0]

    def full() -> bool:
        return any(ioctl(pipe, count, nothing) != nothing for pipe in pipes)

    def drain() -> None:
        with suppress(OSError):
            # The reading threads use no CPU time while nothing is written.
            before, worked[0] = worked[0], sum(map(clock, clocks))
            if before == worked[0] and not full():
                return
            until = monotonic() + DRAINING
            # What a thread has read, it shows as soon as it gets to run.
            sleep(HANDOVER)
            while full() and monotonic() < until:
                sleep(20 * HANDOVER)
            worked[0] = sum(map(clock, clocks))

    if pipes:
        replace_callback(shell, "post_execute", drain)


shell = get_ipython()
if shell is not None:
    show_figures_with_their_cell(shell)
    queue_output(shell)
    drain_pipes(shell)
