"""How this machine can sandbox a kernel, and why not where it cannot."""

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from coderunner.sandbox import python_folders, seatbelt
from coderunner.sandbox.confinement import Confinement, Walls
from coderunner.sandbox.policy import SYSTEM, Backend, Policy

__all__ = ["Availability", "Backend", "available"]

PATIENCE = 15.0
"""Seconds for a program to run in a sandbox; one that does nothing takes 30 ms."""
NO_SUCH_SYSTEM = "Kernels cannot be sandboxed on this system."
REFUSED = "This system does not let programs sandbox others ({reasons})."


@dataclass(frozen=True, slots=True)
class Availability:
    """What this machine can do."""

    backend: Backend
    why: str = ""
    """Without a sandbox, the reason; with one, what it does not cover here, empty if nothing. A sentence."""

    def __bool__(self) -> bool:
        return self.backend != "none"


@cache
def available() -> Availability:
    """Find out, once for a process: tried for real, not concluded from a version."""
    reasons: list[str] = []
    for backend in BACKENDS.get(sys.platform, ()):
        if not (reason := attempt(backend)):
            return Availability(backend, uncovered(backend))
        reasons.append(reason)
    return Availability("none", REFUSED.format(reasons="; ".join(reasons)) if reasons else NO_SUCH_SYSTEM)


BACKENDS: dict[str, tuple[Backend, ...]] = {
    "linux": ("namespaces", "landlock"),
    "darwin": ("seatbelt",),
}
"""By system, the best first."""
UNCOVERED = "Without user namespaces, code can find out whether a file exists, though not what is in it"
AND_SIGNALS = "; and it can end other programs of this user, which Linux 6.12 and later prevent"


def uncovered(backend: Backend) -> str:
    """Return what a back end does not cover here, in a sentence; empty if nothing."""
    if backend != "landlock":
        return ""
    from coderunner.sandbox.launcher import landlock  # Linux's alone

    return UNCOVERED + ("" if landlock.abi() >= landlock.SCOPE_ABI else AND_SIGNALS) + "."


def attempt(backend: Backend) -> str:
    """Run a program that does nothing in a sandbox; returns why that fails, empty if it does not."""
    with TemporaryDirectory(prefix="coderunner-", ignore_cleanup_errors=True) as name:
        folder = Path(os.path.realpath(name))
        policy = Policy(
            folder, folder, folder, Path.home(), (*SYSTEM, *python_folders.of_this_interpreter().whole)
        )
        try:
            confinement = Confinement.of(backend, lambda: Walls({**policy.described(), "cwd": str(folder)}))
        except OSError as error:
            return str(error)
        trial = ["-c", seatbelt.TRIAL, str(folder)] if backend == "seatbelt" else ["-I", "-S", "-c", "pass"]
        command = [*confinement.command, sys.executable, *trial]
        try:
            code, text = _run(command, confinement)
        except (OSError, subprocess.SubprocessError) as error:
            return str(error)
        finally:
            confinement.close()
    said = text.decode(errors="replace").strip().splitlines()
    return "" if code == 0 else said[-1][:300] if said else f"it ended with {code}"


def _run(command: list[str], confinement: Confinement) -> tuple[int, bytes]:
    """Run a confined program to its end; returns its exit code and what it said of errors."""
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        command, stdin=confinement.stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        confinement.started()
        try:
            _, said = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return process.returncode, said
