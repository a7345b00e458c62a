"""A program of ours that runs beside the kernel: with its Python and packages, in its folder, for seconds.

What would take too long for the control thread, or would load packages into the kernel, is asked so. The
first question begins it, later ones of the same ticket ask what it has printed.
"""

import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

if TYPE_CHECKING:
    from coderunner.kernel.sessions.prelude.control import Refused, question

SECONDS, LONGEST = 8.0, 60.0
"""Until it is ended, unless the question says so, and at most."""
LARGEST = 640 * 1024
"""Bytes that it may print."""
MOST = 4
"""Programs at a time."""
RUNNING: dict[str, "Beside"] = {}


class Beside(threading.Thread):
    """A program, and what it has printed when it has ended."""

    def __init__(self, source: str, argument: str, given: str, seconds: float) -> None:
        super().__init__(daemon=True)
        self.printed = ""
        self._seconds = min(seconds, LONGEST)
        self._given = given.encode()
        self._process = subprocess.Popen(  # noqa: S603 - the program is ours
            # Isolated: no file of the folder stands in for a module.
            [sys.executable, "-I", "-c", source, argument],
            cwd=folder(),
            stdin=subprocess.PIPE if given else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def run(self) -> None:
        """Wait for it, and end it in time."""
        end = threading.Timer(self._seconds, self._process.kill)
        end.daemon = True
        end.start()
        try:
            with self._process as process:
                if process.stdin is not None:
                    with suppress(OSError):  # it has ended before it had read all
                        process.stdin.write(self._given)
                        process.stdin.close()
                printed = process.stdout.read(LARGEST + 1) if process.stdout is not None else b""
                if len(printed) > LARGEST:
                    process.kill()
                elif process.wait() == 0:
                    self.printed = printed.decode("utf-8", "replace")
        finally:
            end.cancel()


def folder() -> str:
    """Where the kernel began to work: a program may have gone elsewhere."""
    shell: Any = get_ipython()
    began = shell.user_ns.get("_dh") if shell is not None else None
    return str(began[0]) if began else "."


@question("beside")
def beside(
    ticket: str, source: str = "", argument: str = "", given: str = "", seconds: float = SECONDS
) -> dict[str, str]:
    """Begin a program, or give what it has `printed` once it has ended: nothing where it failed.

    `given` is what it reads from its standard input, before it prints.
    """
    running = RUNNING.get(ticket)
    if running is None:
        if not source:
            raise Refused("no such program runs beside the kernel")
        if len(RUNNING) >= MOST:  # nobody has asked any more for what some have printed
            for over in [each for each, its in RUNNING.items() if not its.is_alive()]:
                del RUNNING[over]
        if len(RUNNING) >= MOST:
            raise Refused("too many programs run beside the kernel")
        RUNNING[ticket] = running = Beside(source, argument, given, seconds)
        running.start()
        return {}
    if running.is_alive():
        return {}
    del RUNNING[ticket]
    return {"printed": running.printed}
