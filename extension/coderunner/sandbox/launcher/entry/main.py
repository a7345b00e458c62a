"""The program between us and a kernel: `main` walls its own process in and becomes the kernel."""

from __future__ import annotations

import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # the import of typing takes as long as all the rest
    from collections.abc import Callable
    from typing import Any, NoReturn

    Become = Callable[[], NoReturn]

LARGEST = 1_000_000
"""Bytes of a policy."""
MOST_HANDLES = 1024
"""More than a process of ours has open."""
BROKEN = 125
"""The exit code where the sandbox cannot be set up."""


def main() -> None:
    """Run the command after `--`, under the policy that comes first on standard input."""
    command = sys.argv[sys.argv.index("--") + 1 :]
    # The kernel's own standard input is empty.
    channel = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    told = os.read(channel, LARGEST)
    if not told:
        os._exit(BROKEN)  # whoever wanted it is gone

    def execute() -> NoReturn:
        os.execvp(command[0], command)

    try:
        wall_in(marshal.loads(told), execute, channel)
    except OSError as error:
        os.write(2, f"the sandbox cannot be set up: {error}\n".encode())
        os._exit(BROKEN)


def wall_in(policy: dict[str, Any], become: Become, channel: int) -> NoReturn:
    """Wall a new process in, and have it `become` the kernel; ends as that does. Raises OSError.

    It ends when the other end of the channel is closed.
    """
    os.environ.update(policy["environment"])
    BACKENDS[policy["backend"]](policy, become, channel)


def _namespaces(policy: dict[str, Any], become: Become, channel: int) -> NoReturn:
    from coderunner.sandbox.launcher import libc, limits
    from coderunner.sandbox.launcher.namespaces import confine, init

    if policy.get("relay"):
        from coderunner.sandbox.launcher.namespaces import relay  # no import after that: its files are gone

    def carry() -> None:
        # Init's own handles lead out of here; a kernel loses them when it becomes another program.
        os.closerange(3, MOST_HANDLES)
        relay.run(policy["relay"])

    def execute() -> None:
        limits.apply(policy)
        if policy["filter"]:
            libc.filter_calls(*policy["filter"])
        init.be_kernel(become, policy["cwd"])

    confine.enter(channel)
    tree = confine.build(policy)
    if policy.get("relay"):
        init.start(carry)
    init.serve(tree, init.start(execute), channel)


def _landlock(policy: dict[str, Any], become: Become, channel: int) -> NoReturn:
    from coderunner.sandbox.launcher import landlock_kernel

    landlock_kernel.run(policy, become, channel)


BACKENDS = {"namespaces": _namespaces, "landlock": _landlock}
