"""What a thread shows belongs to the cell that started it.

ipykernel 7 assigns it to whichever cell runs; 6 does so with displayed data, and assigns text of a pool's
thread to the cell that made the pool.
"""

import sys
import threading
from concurrent.futures import thread as pool
from contextlib import suppress
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

from IPython.core.getipython import get_ipython


class Origin:
    """Stands in for ipykernel's ContextVar with the parent header: a thread has its starting cell's."""

    def __init__(self, bare: Any, threads: Any) -> None:
        self.bare = bare
        self.threads = threads

    def get(self) -> Any:
        """The header; raises LookupError, as a ContextVar does, and ipykernel takes the newest cell's."""
        try:
            return self.bare.get()
        except LookupError:
            return self.threads[threading.current_thread()]

    def set(self, header: Any) -> Any:
        """Set it for this thread or task."""
        return self.bare.set(header)

    def reset(self, token: Any) -> None:
        """Undo a `set`."""
        self.bare.reset(token)


def attribute_threads(shell: Any) -> None:
    """Assign what a thread shows to the cell that started it, or that gave its pool the work."""
    parts = [sys.stdout, sys.stderr, shell.display_pub]
    # In ipykernel 6 what is displayed has none; and when this is sent again, it is done already.
    ours = [part for part in parts if isinstance(getattr(part, "_parent_header", None), ContextVar)]
    if not ours:
        return
    threads: WeakKeyDictionary[threading.Thread, Any] = WeakKeyDictionary()
    for part in ours:
        part._parent_header = Origin(part._parent_header, threads)
    origin = ours[0]._parent_header
    bare = threading.Thread.start
    item: Any = pool._WorkItem

    def start(self: threading.Thread) -> None:
        with suppress(LookupError):
            threads[self] = origin.get()
        bare(self)

    class Work(item):  # type: ignore[misc]
        """A call that waits for a thread of a pool, which another cell may have started."""

        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.header = None
            with suppress(LookupError):
                self.header = origin.get()

        def run(self, *arguments: Any) -> None:
            if self.header is not None:
                threads[threading.current_thread()] = self.header
            super().run(*arguments)

    threading.Thread.start = start  # type: ignore[method-assign]
    pool._WorkItem = Work  # type: ignore[assignment,misc]


shell = get_ipython()
if shell is not None:
    attribute_threads(shell)
