"""A kernel without a sandbox, and the process above it, which ends as the kernel does."""

import os
import select
import signal

from coderunner.sandbox.launcher import forked, libc

NOT_FOUND = 127


def run(folder: str, channel: int) -> None:
    """Fork the kernel, in which it returns by raising `forked.Forked`; ends as the kernel does.

    The kernel ends when the other end of the channel is closed.
    """
    # An interrupt reaches the whole group, and is meant for the program.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    kernel = os.fork()
    if not kernel:
        try:
            libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
            os.chdir(folder)
        except OSError as error:
            os.write(2, f"{error.filename or 'the kernel'}: {error.strerror}\n".encode())
            os._exit(NOT_FOUND)
        forked.leave()
    ended = os.pidfd_open(kernel)
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(channel, select.POLLIN)
    if all(handle != ended for handle, _ in poll.poll()):
        os.killpg(0, signal.SIGKILL)  # nobody wants it any more
    _, status = os.waitpid(kernel, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)
