"""Who uses the proxy: each key belongs to a member, with limits and perhaps a Jupyter server of its own."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from coderunner.access.api_keys import OWNER
from coderunner.hosts.proxy.team.limiter import Limits
from coderunner.runner import Server


@dataclass(frozen=True, slots=True)
class Member:
    """One user of the proxy."""

    name: str
    """What metrics and logs call it."""
    owner: str
    """To whom conversations, kernels and images belong: it stays the same when the key changes."""
    limits: Limits = field(default_factory=Limits)
    server: Server | None = None
    """Where its code runs; None: where the settings say."""


class Members:
    """The members by owner; may be replaced while the proxy runs."""

    def __init__(self, members: Mapping[str, Member] | None = None) -> None:
        self._members = dict(members or {})

    def of(self, owner: str) -> Member:
        """The member of an owner's name: for a key of the settings one without limits, called like it."""
        return self._members.get(owner) or Member(owner, owner)

    @property
    def some_here(self) -> bool:
        """Whether anybody's code runs where the settings say."""
        return not self._members or any(each.server is None for each in self._members.values())

    def replace(self, others: "Members") -> None:
        """From now on these are the members."""
        self._members = others._members


def owner_of(name: str) -> str:
    """The owner of a member of that name, which no key of the settings has."""
    return hashlib.sha256(b"member " + name.encode()).hexdigest()[:OWNER]
