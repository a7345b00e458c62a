"""How this machine can sandbox a kernel, and why not where it cannot."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

Backend = Literal["namespaces", "landlock", "seatbelt", "none"]


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
    return Availability("none", "Sandboxing kernels is not supported on this system.")
