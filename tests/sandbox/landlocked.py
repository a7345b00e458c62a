"""A program under Landlock, started as a kernel is."""

import marshal
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[2] / "extension"
START = """
import marshal, os, sys
sys.path.insert(0, sys.argv[1])
from coderunner.sandbox.launcher import landlock_kernel
channel = os.dup(0)
policy = marshal.loads(os.read(channel, 100000))
if policy.get("container"):
    # As engines of containers do it for programs without special rights.
    from coderunner.sandbox.launcher import landlock
    from coderunner.sandbox.launcher.call_filter import seccomp
    usual, seccomp.RULES = seccomp.RULES, (seccomp.Rule("pidfd_getfd", seccomp.OPERATION),)
    landlock.filter_calls()
    seccomp.RULES = usual
landlock_kernel.run(policy, lambda: os.execvp(sys.argv[2], sys.argv[2:]), channel)
"""
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", sys.prefix, sys.base_prefix, str(PACKAGE))


def policy(place: Path, **more: Any) -> dict[str, Any]:
    """A policy whose folders lie in one place."""
    for name in ("folder", "sockets", "temporary"):
        (place / name).mkdir(exist_ok=True)
    return {
        "folder": f"{place}/folder",
        "sockets": f"{place}/sockets",
        "temporary": f"{place}/temporary",
        "home": str(place / "home"),
        "system": list(SYSTEM),
        "read": [],
        "write": [],
        "memory": 0,
        "processes": 0,
        "file": 0,
        "cwd": f"{place}/folder",
    } | more


def run(place: Path, code: str, **more: Any) -> str:
    """Run a program to its end; returns what it printed."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        ours.send(marshal.dumps(policy(place, **more)))
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", START, str(PACKAGE), sys.executable, "-c", code],
            stdin=theirs.fileno(),
            capture_output=True,
            text=True,
            timeout=30,
            env={**os.environ, "TMPDIR": f"{place}/temporary"},
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
