"""What a request is for, and whether a conversation's grants allow it. Pure."""

from collections.abc import Set
from dataclasses import dataclass
from enum import Enum

from coderunner.settings.domains import canonical_host, is_address, means_this_machine, split_port

WEB = (80, 443)
"""The ports that a grant without a port means."""


@dataclass(frozen=True, slots=True)
class Target:
    """A host and a port; the host in its one spelling."""

    host: str
    port: int

    def __str__(self) -> str:
        """The name for a person, which is also the grant of exactly this."""
        return self.host if self.port in WEB else f"{self.host}:{self.port}"

    @property
    def this_machine(self) -> bool:
        """It means the machine itself, where our own ports are: nothing grants that."""
        return means_this_machine(self.host)


def parse_target(authority: str, port: int = 0) -> Target:
    """The target of `host:port`; `port` is used where none is written. Raises ValueError."""
    host, written = split_port(authority)
    if not (written or port):
        message = "a port is missing"
        raise ValueError(message)
    return Target(canonical_host(host), written or port)


class Allowance(Enum):
    """How far a conversation may reach a target."""

    NONE = "none"
    PUBLIC = "public"
    """As part of something larger: only at addresses of the public internet."""
    EXACT = "exact"
    """By its own name: also at an address of a private network."""


def allowance(grants: Set[str], target: Target) -> Allowance:
    """What grants, each in its one spelling, say of a target."""
    if target.this_machine:
        return Allowance.NONE
    if grants & _spellings(target.host, target.port):
        return Allowance.EXACT
    if "all" in grants or any(grants & _spellings(above, target.port) for above in _above(target.host)):
        return Allowance.PUBLIC
    return Allowance.NONE


def _spellings(name: str, port: int) -> set[str]:
    return {f"{name}:{port}", name} if port in WEB else {f"{name}:{port}"}


def _above(host: str) -> list[str]:
    if is_address(host):
        return []
    labels = host.split(".")
    return ["*." + ".".join(labels[count:]) for count in range(1, len(labels))]
