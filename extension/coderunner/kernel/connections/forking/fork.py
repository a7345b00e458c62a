"""Forks one kernel of a template, in a sandbox or without one."""

import marshal
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from coderunner.kernel.connections.forking.forked_process import ForkedProcess
from coderunner.kernel.connections.forking.templates import Templates
from coderunner.sandbox.confinement import Confinement

NO_WATCH = {"JPY_PARENT_PID": "1"}
"""A kernel ends with the process above it, and need not watch that."""


async def fork(
    templates: Templates,
    environment: Mapping[str, str],
    command: Sequence[str],
    options: Mapping[str, Any],
    confinement: Confinement | None,
) -> ForkedProcess | None:
    """Return a new kernel's process, which ends as the kernel does; None: it has to be started by itself.

    `environment` is that of every kernel here, `options` are this one's, as `Popen` takes them. Raises what
    the sandbox does that cannot be made; then no process is left.
    """
    if confinement is not None:
        child = await templates.fork(environment, confinement.stdin, options["stderr"].fileno())
        return _confined(child, confinement, _told(command, options, sandboxed=True)) if child else None
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        with theirs:
            child = await templates.fork(environment, theirs.fileno(), options["stderr"].fileno())
        if child:
            ours.send(_told(command, options, sandboxed=False))
            return ForkedProcess(child, ours)
    except BaseException:
        ours.close()
        raise
    ours.close()
    return None


def _told(command: Sequence[str], options: Mapping[str, Any], *, sandboxed: bool) -> bytes:
    """What the forked process reads first."""
    return marshal.dumps(
        {
            "command": list(command),
            "environment": {**options["env"], **NO_WATCH},
            "folder": os.fspath(options["cwd"]),
            "sandboxed": sandboxed,
        }
    )


def _confined(child: int, confinement: Confinement, told: bytes) -> ForkedProcess:
    process = ForkedProcess(child)
    try:
        confinement.started(told)
    except BaseException:
        confinement.close()
        process.wait()
        raise
    return process
