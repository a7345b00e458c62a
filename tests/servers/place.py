"""A server that runs, and what is to be expected of it."""

from collections.abc import Callable
from dataclasses import dataclass

from coderunner.kernel.kernel_location import Server
from coderunner.secret_value import Secret

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A picture of one dot, as PNG in Base64."""


@dataclass(frozen=True, slots=True)
class HubPlace:
    """A Hub with two users.

    Of Ann's servers `work` runs, and `soon` is starting until a test lets it. The others are stopped, like
    her default one and Bob's: `old`, `late`; `held` and `lost`, which start when a test lets them; and
    `broken`, which cannot be started.
    """

    url: str
    token: str
    """Ann's, with which she may do everything of hers."""
    other: str
    """Bob's."""
    small: str
    """Ann's, with which no server can be started or looked at."""
    let_start: Callable[[str], None]
    """Lets a server of Ann's start."""
    real: bool = False
    """Its servers run cells."""


@dataclass(frozen=True, slots=True)
class Place:
    """A server that runs."""

    url: str
    token: str
    lists: bool = True
    """It tells which kernels it has."""
    setting: str = ""
    """What makes it tell, where it does not."""

    pid: int = 0
    """Its process."""

    @property
    def where(self) -> Server:
        """The place as our settings say it."""
        return Server(self.url, Secret(self.token))
