"""The threads of numerical libraries: none in the template, and as many in a kernel as in a started one."""

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

NUMBERS = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")
"""Where OpenBLAS reads how many threads it may have, when it is loaded."""


class ThreadPools:
    """Those of each copy of OpenBLAS that is loaded; made where no thread may live."""

    def __init__(self, count: int) -> None:
        """`count`: the threads that a kernel would have in the environment here."""
        self._setters = [found for path in _libraries() if (found := _setter(path)) is not None]
        self._count = 1
        # A thread that waits for work looks for it for 30 ms first. So a kernel begins them when it computes:
        # where they are ended for a fork, that is what it does after one.
        if self._setters and count > 1 and _in_child(lambda: self._begin_and_end(count)):
            self._begin_and_end(count)

    def _begin_and_end(self, count: int) -> bool:
        self._set(count)
        _in_child(lambda: True)
        return len(os.listdir("/proc/self/task")) == 1

    def _set(self, count: int) -> None:
        for each in self._setters:
            each(count)
        self._count = count

    def renew(self) -> None:
        """Have as many threads as the environment says, of a kernel now."""
        count = threads()
        if count != self._count:
            self._set(count)


def threads() -> int:
    """How many threads OpenBLAS would have, were it loaded now."""
    for name in NUMBERS:
        with suppress(ValueError):
            return int(os.environ.get(name, ""))
    return len(os.sched_getaffinity(0))


def _in_child(ask: Callable[[], bool]) -> bool:
    """Ask a forked process, which ends then."""
    child = os.fork()
    if not child:
        try:
            os._exit(0 if ask() else 1)
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def _libraries() -> Iterator[str]:
    with open("/proc/self/maps") as maps:
        paths = {line.split(maxsplit=5)[5].rstrip() for line in maps if "/" in line}
    return (path for path in sorted(paths) if "openblas" in os.path.basename(path))


def _setter(path: str) -> "Callable[[int], Any] | None":
    library = ctypes.CDLL(path)
    for before in ("scipy_openblas", "openblas"):
        for after in ("", "64_", "_64"):
            found: Callable[[int], Any] | None = getattr(library, f"{before}_set_num_threads{after}", None)
            if found is not None:
                return found
    return None
