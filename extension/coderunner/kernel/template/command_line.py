"""What others read as the command of our process: as it was forked, that of the process it is of."""

import ctypes
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_START, _END = 48, 49
"""Fields of /proc/PID/stat: where the command lies that the process was started with."""


def show(command: Sequence[str]) -> None:
    """Have lists of processes show a command as ours, as far as there is room; Linux only."""
    with suppress(OSError, ValueError, IndexError):
        # The name of the program, in brackets, may hold anything.
        fields = (
            Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
        start, end = (int(fields[number - 3]) for number in (_START, _END))
        if 0 < start < end:
            text = b"".join(word.encode("utf-8", "surrogateescape") + b"\0" for word in command)
            # It ends with a zero in any case: else what stands behind it would be shown, too.
            ctypes.memmove(start, text[: end - start - 1].ljust(end - start, b"\0"), end - start)
