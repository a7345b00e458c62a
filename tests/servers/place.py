"""A server that runs, and what is to be expected of it."""

from dataclasses import dataclass

from coderunner.kernel.kernel_location import Server
from coderunner.secret_value import Secret


@dataclass(frozen=True, slots=True)
class HubPlace:
    """A Hub with two users. Of Ann's servers `work` runs, `soon` starts, `old` and her default do not run."""

    url: str
    token: str
    """Ann's, with which she may do everything of hers."""
    other: str
    """Bob's."""


@dataclass(frozen=True, slots=True)
class Place:
    """A server that runs."""

    url: str
    token: str
    lists: bool = True
    """It tells which kernels it has."""
    setting: str = ""
    """What makes it tell, where it does not."""

    fragile: bool = False
    """A kernel there ends when one of two clients leaves it."""

    pid: int = 0
    """Its process."""

    @property
    def where(self) -> Server:
        """The place as our settings say it."""
        return Server(self.url, Secret(self.token))
