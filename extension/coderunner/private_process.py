"""What other programs of the same user can learn of our process: neither its secrets nor its memory."""

import ctypes
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_PR_SET_DUMPABLE = 4
"""linux/prctl.h."""
_ENV_START, _ENV_END = 50, 51
"""Fields of /proc/PID/stat: where the environment lies that the process was started with."""


def forget_variables(names: Iterable[str]) -> None:
    """Take variables out of our environment, and on Linux out of `/proc/PID/environ`; case does not matter.

    Whoever started us may have them still.
    """
    wanted = {name.upper() for name in names}
    present = [name for name in os.environ if name.upper() in wanted]
    for name in present:
        del os.environ[name]
    if present and sys.platform == "linux":
        # What the process was started with stays where it was, whatever is unset.
        with suppress(OSError, ValueError, IndexError):
            _overwrite(wanted)


def hide_memory() -> None:
    """Keep other programs of our user out of our memory, environment and open files; Linux only.

    Programs that we start are not concerned: the system takes this back when a program is executed. Root
    gets in everywhere.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _overwrite(names: set[str]) -> None:
    # The name of the program, in brackets, may hold anything.
    fields = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    start, end = (int(fields[number - 3]) for number in (_ENV_START, _ENV_END))
    if not 0 < start < end:
        return
    place = start
    for entry in ctypes.string_at(start, end - start).split(b"\0"):
        if entry.partition(b"=")[0].decode("utf-8", "replace").upper() in names:
            ctypes.memset(place, 0, len(entry))
        place += len(entry) + 1
