"""The backends that this machine has, and kernels in each of them."""

import sys
from pathlib import Path
from typing import Any

from coderunner.kernel.sessions.registry import Sessions
from coderunner.outputs import Result, Stream
from coderunner.sandbox.backends import BACKENDS, Availability, Backend, attempt
from coderunner.sandbox.kernel_sandbox import KernelSandbox

HERE: tuple[Backend, ...] = tuple(each for each in BACKENDS.get(sys.platform, ()) if not attempt(each))
EVERYWHERE: tuple[Backend, ...] = ("none", *HERE)
"""The same, and none."""

TRIED = """
import os, sys
def tried(name, act):
    try:
        act()
        print(name)
    except OSError:
        pass
"""
"""What programs in a kernel begin with: `tried` prints the name of an act that was not refused."""


def sessions_in(backend: Backend, root: Path, *, max_memory: float = 0.0, **more: Any) -> Sessions:
    """Sessions whose kernels are in a backend, whatever else this machine has."""
    sandbox = None if backend == "none" else KernelSandbox(way=Availability(backend), **more)
    return Sessions(root, sandbox=sandbox, max_memory=max_memory)


def printed(result: Result) -> str:
    """What a program printed."""
    return "".join(output.text for output in result.outputs if isinstance(output, Stream)).strip()
