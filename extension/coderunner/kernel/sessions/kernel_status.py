"""What a page shows of the state of a conversation's kernel."""

from dataclasses import dataclass
from typing import Literal

State = Literal["none", "starting", "idle", "busy", "dead"]


@dataclass(frozen=True, slots=True)
class KernelStatus:
    """What a page shows of the kernel's state."""

    state: State
    kernel: str
    """The kernel's name."""
    since: float
    """When this began, by `time.monotonic()`."""
    sentence: str = ""
    """What there is to say beside the state, one sentence or nothing."""
    ran: bool = False
    """Code of the conversation ran in it, or in one of that place that may be there still."""
