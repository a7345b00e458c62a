"""Grants in words, each by itself, as a person reads and takes them back."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coderunner.sandbox.policy import EVERYTHING, PACKAGES, Grants
from coderunner.settings.domains import in_script

HOSTS = {EVERYTHING: "the whole public internet", PACKAGES: "the package indexes of pip"}


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant."""

    words: str
    """What it allows, such as `read ~/data`."""
    grants: Grants


def in_words(grants: Grants, home: Path) -> list[Grant]:
    """Each grant by itself, in a lasting order."""
    return list(_each(grants, home))


def _each(grants: Grants, home: Path) -> Iterator[Grant]:
    for path in sorted(grants.read - grants.write):
        yield Grant(f"read {short(path, home)}", Grants(read=frozenset({path})))
    for path in sorted(grants.write):
        # What may be written may be read: both are taken back together.
        yield Grant(
            f"read and write {short(path, home)}",
            Grants(grants.read & {path}, frozenset({path})),
        )
    for host in sorted(grants.hosts):
        yield Grant(f"reach {host_words(host)}", Grants(hosts=frozenset({host})))


def host_words(host: str) -> str:
    """A host that is granted, or the name of a grant, as a person reads it."""
    return HOSTS.get(host) or in_script(host)


def short(path: Path, home: Path) -> str:
    """A path with `~` for the home folder."""
    return f"~/{path.relative_to(home)}" if path != home and path.is_relative_to(home) else str(path)
