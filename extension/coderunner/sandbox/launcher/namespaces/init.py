"""The first process of a sandbox: starts the kernel, reaps what ends, and shows more when it is told to."""

from __future__ import annotations

import marshal
import os
import select

from coderunner.sandbox.launcher.forked import Forked
from coderunner.sandbox.launcher.namespaces import confine
from coderunner.sandbox.launcher.namespaces.file_tree import FileTree

TYPE_CHECKING = False
if TYPE_CHECKING:  # the import of typing takes as long as all the rest
    import signal
    from collections.abc import Callable
    from typing import NoReturn
else:
    import _signal as signal

LARGEST = 1_000_000
"""Bytes of a message."""
NOT_FOUND = 127


def start(work: Callable[[], object]) -> int:
    """Start a process without any rights of init's."""
    child = os.fork()
    if child:
        return child
    try:
        confine.confine_child()
        work()
        os._exit(0)
    except Forked:
        raise
    except OSError as error:
        os.write(2, f"{error.filename or 'the kernel'}: {error.strerror}\n".encode())
        os._exit(NOT_FOUND)
    except BaseException:
        os._exit(NOT_FOUND)


def be_kernel(become: Callable[[], NoReturn], folder: str) -> NoReturn:
    """Become the kernel, in its folder; raises OSError."""
    try:
        os.chdir(folder)
    except OSError:
        os.chdir("/")
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # A kernel whose parent is the first process is told that it need not watch it.
    os.environ["JPY_PARENT_PID"] = "1"
    become()


def serve(tree: FileTree, kernel: int, channel: int) -> NoReturn:
    """Stay until the kernel ends, or the other end of the channel is closed; all others end with us."""
    awake, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    poll = select.poll()
    poll.register(channel, select.POLLIN)
    poll.register(awake, select.POLLIN)
    while True:
        _reap(kernel)
        for handle, _ in poll.poll():
            if handle == awake:
                os.read(awake, 1000)
            else:
                _answer(tree, channel)


def _reap(kernel: int) -> None:
    while True:
        try:
            child, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if child == kernel:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)
        if not child:
            return


def _answer(tree: FileTree, channel: int) -> None:
    """Do what we are told to; a closed channel means that nobody needs the kernel any more."""
    try:
        message = os.read(channel, LARGEST)
    except OSError:
        message = b""
    if not message:
        os._exit(0)
    asked: list[tuple[str, bool]]
    asked, guarded, hidden = marshal.loads(message)  # from the process that started us
    tree.keep(guarded, hidden)
    shown = [_bound(tree, path, writable) for path, writable in asked]
    os.write(channel, b"1" if all(shown) else b"0")


def _bound(tree: FileTree, path: str, writable: bool) -> bool:  # noqa: FBT001
    try:
        tree.show(path, writable=writable)
    except OSError as error:
        os.write(2, f"{path} cannot be shown: {error.strerror}\n".encode())
        return False
    return True
