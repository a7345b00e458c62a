"""Runs kernels in a process that has too little of something, and tells what came of each, a line of JSON.

    python -m tests.faults.crowded descriptors|threads|processes FOLDER

The first conversation has a kernel before that, and has to keep it. In each of the others a cell is run while
there is too little, and once more when there is enough again.
"""

import json
import os
import resource
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.sessions.registry import Local, Session, Sessions
from tests.kernel.conftest import BOUND
from tests.kernel.test_local_kernel import holds

GROUPS = Path("/sys/fs/cgroup/pids")
STACK = 1 << 30
"""Bytes of each new thread's stack, where threads are what is missing."""
LEFT = {"descriptors": (0, 3, 7, 13, 31), "threads": (0,), "processes": (0,)}
"""How many of each may be had still, one case after the other."""


def ours() -> int:
    """How many processes that we have started there are."""
    family = psutil.Process().children(recursive=True)
    return sum(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in family)


@contextmanager
def limit(kind: int, most: int) -> Iterator[None]:
    """This process may have no more than that."""
    soft, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, (soft, hard))


@contextmanager
def few(what: str, left: int) -> Iterator[None]:
    """So many more may be had, and no more."""
    if what == "descriptors":
        with limit(resource.RLIMIT_NOFILE, psutil.Process().num_fds() + left):
            yield
    elif what == "threads":
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        threading.stack_size(STACK)
        try:
            with limit(resource.RLIMIT_AS, size + STACK // 2):
                yield
        finally:
            threading.stack_size(0)
    else:
        group = GROUPS / f"coderunner-{os.getpid()}"
        (group / "pids.max").write_text(str(int((group / "pids.current").read_text()) + left))
        try:
            yield
        finally:
            (group / "pids.max").write_text("max")


@contextmanager
def grouped() -> Iterator[None]:
    """This process and all that it starts are a group of their own."""
    group = GROUPS / f"coderunner-{os.getpid()}"
    group.mkdir()
    (group / "cgroup.procs").write_text(str(os.getpid()))
    try:
        yield
    finally:
        (GROUPS / "cgroup.procs").write_text(str(os.getpid()))
        with suppress(OSError):
            holds(lambda: not (group / "cgroup.procs").read_text())
            group.rmdir()


def ran(session: Session, source: str) -> list[str]:
    """How a cell ended, and what was said of that."""
    result = session.begin(source).wait(BOUND)
    return ["no verdict", ""] if result is None else [result.status, result.detail]


def tell(what: str, folder: Path) -> None:
    """Put each case to the test."""
    sessions = Sessions(folder, preload=())
    sessions.prepare(Local())
    assert holds(lambda: sessions._templates is not None and sessions._templates.ready)
    first = sessions.get("first", Local())
    for number in range(40):
        ran(first, f"x = {number}")  # threads that serve many have started then
    before = ours()
    for left in LEFT[what]:
        session = sessions.get(f"left-{left}", Local())
        with few(what, left):
            verdict, kept = ran(session, "print(1)"), ran(first, "assert x == 39")
        again = ran(session, "print(1)")
        assert holds(lambda: sessions._templates is not None and sessions._templates.ready)
        io_thread().call(sessions.close(session.conversation), BOUND)
        told = {
            "left": left,
            "verdict": verdict,
            "kept": kept,
            "again": again,
            "gone": holds(lambda: ours() <= before),
        }
        sys.stdout.write(f"{json.dumps(told)}\n")
    io_thread().call(sessions.close_all(), BOUND)


def main() -> None:
    _, what, folder = sys.argv
    if what != "processes":
        return tell(what, Path(folder))
    with grouped():
        return tell(what, Path(folder))


if __name__ == "__main__":
    main()
