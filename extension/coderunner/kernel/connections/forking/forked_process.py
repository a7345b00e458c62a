"""A child of ours that another process has forked for us; jupyter_client uses it as it uses a `Popen`."""

import os
import signal
import socket
import threading
from contextlib import suppress


class ForkedProcess:
    """A process by its number. May be used from any thread."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, channel: socket.socket | None = None) -> None:
        """`channel`: what is closed when it has ended; the process ends when it is closed."""
        self.pid = pid
        self.returncode: int | None = None
        self._channel = channel
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """Return its exit code, negative for a signal; None while it runs."""
        with self._lock:
            if self.returncode is None:
                try:
                    found, status = os.waitpid(self.pid, os.WNOHANG)
                except ChildProcessError:
                    found, status = self.pid, 0  # somebody else has buried it: what it said is lost
                if found:
                    self.returncode = os.waitstatus_to_exitcode(status)
                    if self._channel is not None:
                        self._channel.close()
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, however long it takes; returns its exit code."""
        with suppress(ChildProcessError):
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        return self.poll() or 0

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)
