"""A stdin that can be closed from inside: the SDK reads it in a thread that nothing else wakes."""

import contextlib
import os
import socket
import threading

_PIECE = 65_536
"""Bytes that are passed on at once: the size of a pipe's buffer."""


class ClosableStdin:
    """Replaces descriptor 0 for its readers, and passes its bytes on."""

    def __init__(self) -> None:
        self._to_reader, reader = socket.socketpair()
        client = os.dup(0)
        os.dup2(reader.fileno(), 0)
        reader.close()
        # A daemon thread that reads the descriptor itself: the process can end without it.
        threading.Thread(target=self._pass_on, args=(client,), name="stdin", daemon=True).start()

    def close(self) -> None:
        """Close it for the reader, as if the client had closed it; may be called again."""
        with contextlib.suppress(OSError):
            self._to_reader.shutdown(socket.SHUT_WR)

    def _pass_on(self, client: int) -> None:
        with contextlib.suppress(OSError):
            while piece := os.read(client, _PIECE):
                self._to_reader.sendall(piece)
        self.close()
