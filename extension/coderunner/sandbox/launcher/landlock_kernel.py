"""A kernel that Landlock confines, where no namespaces can be had.

Three processes: a *supervisor*, which jupyter_client started and which ends as the kernel did; a *keeper*,
which answers what the kernel may not do by itself and ends all that it leaves behind; and the kernel, in the
supervisor's group, so that an interrupt and a kill reach it.
"""

from __future__ import annotations

import _socket
import os
import struct

from coderunner.sandbox.launcher import landlock, libc, limits
from coderunner.sandbox.launcher.forked import Forked

TYPE_CHECKING = False
if TYPE_CHECKING:  # the import of typing takes as long as all the rest
    import signal
    from collections.abc import Callable
    from typing import Any, NoReturn

    from coderunner.sandbox.launcher.broker import Broker

    Policy = dict[str, Any]
    Become = Callable[[], NoReturn]
else:
    import _signal as signal

SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER: what loses its parent becomes our child, rather than nobody's."""
NOT_FOUND = 127
LARGEST = 1_000_000
"""Bytes of a message."""


def run(policy: Policy, become: Become, channel: int) -> NoReturn:
    """Run a kernel under a policy; ends as it does, or when the other end of the channel is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lifeline, held = os.pipe()
    keeper = os.fork()
    if keeper:
        os.close(channel)
        os.close(lifeline)
        _, status = os.waitpid(keeper, 0)
        os._exit(os.waitstatus_to_exitcode(status) % 256)
    os.close(held)
    try:
        _keep(policy, become, channel, lifeline)
    except OSError as error:
        os.write(2, f"the sandbox cannot be set up: {error}\n".encode())
    os._exit(NOT_FOUND)


def _keep(policy: Policy, become: Become, channel: int, lifeline: int) -> NoReturn:
    libc.prctl(SUBREAPER, 1)
    told, tell = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
    awaited, allow = os.pipe()
    kernel = os.fork()
    if not kernel:
        os.close(channel)
        os.close(lifeline)
        _become(policy, become, tell, awaited)
    # Now that the kernel is in the group that interrupts reach: out of it.
    os.setsid()
    tell.close()
    # From here on beside the kernel, which confines itself meanwhile: what only we import, too.
    from coderunner.sandbox.launcher import broker, brokered_calls, shared_memory

    # Kept open for as long as the kernel lives: a rule is about the entries that there are now.
    kept = [os.open(path, os.O_PATH) for path in landlock.own_proc(kernel) if os.path.exists(path)]
    shared = shared_memory.make()
    try:
        answers = broker.Broker(
            policy,
            brokered_calls.HANDLERS,
            slow=brokered_calls.SLOW,
            way_out=policy.get("port", 0),
            shared_memory=shared,
        )
        _drop_capabilities()
        _, sent, _, _ = told.recvmsg(1, _socket.CMSG_SPACE(4))
        code = NOT_FOUND  # it has said why
        if sent:
            (answers.listener,) = struct.unpack("=i", sent[0][2])
            os.write(allow, b".")
            code = _serve(kernel, answers, channel, lifeline)
    finally:
        _end_all()
        shared_memory.remove(shared)
        for handle in kept:
            os.close(handle)
    os._exit(code)


def _become(policy: Policy, become: Become, tell: _socket.socket, awaited: int) -> NoReturn:
    """Become the kernel."""
    try:
        libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
        os.chdir(policy["cwd"])
        limits.apply(policy)
        libc.forget_keys()
        if not landlock.sufficient():
            raise OSError(0, "this kernel of Linux has no Landlock, or one that is too old")
        landlock.confine(policy)
        _drop_capabilities()
        listener = struct.pack("=i", landlock.filter_calls(asking=True))
        tell.sendmsg([b"."], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, listener)])
        if not os.read(awaited, 1):
            os._exit(NOT_FOUND)  # nobody is there to answer its calls
        for name in os.listdir("/proc/self/fd"):
            _keep_private(int(name))
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        # The one that is told to be its parent ends with it: it need not watch it.
        os.environ["JPY_PARENT_PID"] = "1"
        become()
    except Forked:
        raise
    except OSError as error:
        os.write(2, f"{error.filename or 'the sandbox'}: {error.strerror}\n".encode())
    except BaseException as error:
        os.write(2, f"{error!r}\n".encode())
    os._exit(NOT_FOUND)


def _keep_private(descriptor: int) -> None:
    """Have a descriptor closed when the kernel starts, unless it is one of the three of every program."""
    try:
        if descriptor > 2:
            os.set_inheritable(descriptor, False)  # noqa: FBT003 - it has no name
    except OSError:
        pass  # it was the one that read the list


def _drop_capabilities() -> None:
    try:
        libc.drop_capabilities()
    except OSError:
        if os.geteuid() == 0:
            raise
        # A user without any right has none to drop, and gets none: PR_SET_NO_NEW_PRIVS.


def _serve(kernel: int, answers: Broker, channel: int, lifeline: int) -> int:
    """Stay until the kernel ends, or whoever wants it does; returns the exit code."""
    import select

    awake, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    poll = select.poll()
    for handle in (answers.listener, channel, lifeline, awake):
        poll.register(handle, select.POLLIN)
    while True:
        code = _reap(kernel)
        if code is not None:
            return code
        for handle, _ in poll.poll():
            if handle == answers.listener:
                answers.answer()
            elif handle == awake:
                os.read(awake, 1000)
            elif handle == lifeline or not _refused(channel):
                return 0


def _reap(kernel: int) -> int | None:
    """Bury what ended; returns the exit code of the kernel if it did."""
    while True:
        try:
            child, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 0
        if child == kernel:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        if not child:
            return None


def _refused(channel: int) -> bool:
    """Answer that nothing more can be shown to a kernel that runs; False where nobody is there."""
    try:
        asked = os.read(channel, LARGEST)
        if asked:
            os.write(channel, b"0")
    except OSError:
        return False
    return bool(asked)


def _end_all() -> None:
    """End all that is left: first stopped, so that nothing starts more while we look."""
    stopped: set[int] = set()
    while True:
        found = _descendants() - stopped
        if not found:
            break
        for process in found:
            _signal_to(process, signal.SIGSTOP)
        stopped |= found
    for process in stopped:
        _signal_to(process, signal.SIGKILL)
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        pass


def _signal_to(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except OSError:
        pass  # it has ended


def _descendants() -> set[int]:
    """Return the processes that come from us: those that lost their parent are our children."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    parents[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
            except OSError:
                continue
    known, grown = {os.getpid()}, True
    while grown:
        more = {child for child, parent in parents.items() if parent in known and child not in known}
        known, grown = known | more, bool(more)
    return known - {os.getpid()}
