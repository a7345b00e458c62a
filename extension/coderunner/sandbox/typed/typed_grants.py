"""What a person types to let the code of a chat reach more: read as it is meant, or refused in a sentence.

It may be wider than what a button offers, as a setting may. What the sandbox keeps from code whatever is
granted is no grant: our own data, secrets, and for writing what runs outside of the sandbox.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

from coderunner.sandbox.grant_words import host_words
from coderunner.sandbox.policy import PACKAGES, Access, Grants, Policy
from coderunner.sandbox.typed import typed_hosts, typed_paths
from coderunner.sandbox.typed.not_grantable import NotGrantable

Kind = Literal["read", "write", "network", "packages"]
"""What is allowed: to read a folder, to read and write one, to reach a domain, or the package indexes."""
KINDS: tuple[Kind, ...] = get_args(Kind)

CHOICES: Mapping[str, Kind] = {
    "Read a folder or file": "read",
    "Read and write a folder or file": "write",
    "Reach a domain": "network",
    "Install packages with pip": "packages",
}
"""The same as a form offers it, after *Allow code in this chat to*."""
FIELDS: Mapping[Kind, tuple[str, str]] = {
    "read": ("Folder or file", "~/data"),
    "write": ("Folder or file", "~/data"),
    "network": ("Domain", "example.org"),
    "packages": ("", ""),
}
"""The label of what is typed, and an example; empty where nothing is."""


def takes(access: Access, text: str, policy: Policy, ours: Sequence[Path]) -> bool:
    """Tell whether a person who types `text` grants that access beyond a policy. Looks at the disk."""
    try:
        typed_grant(access, text, policy, ours)
    except NotGrantable:
        return False
    return True


def typed_grant(kind: Kind, text: str, policy: Policy, ours: Sequence[Path]) -> Grants:
    """What a person grants who types `text`. Looks at the disk. Raises NotGrantable.

    `policy` is what code may reach now; `ours` is our own data.
    """
    match kind:
        case "read":
            return Grants(read=frozenset({typed_paths.to_read(text.strip(), policy, ours)}))
        case "write":
            return Grants(write=frozenset({typed_paths.to_write(text.strip(), policy, ours)}))
        case "network":
            host = typed_hosts.to_reach(text.strip())
        case "packages":
            host = PACKAGES
    if host in policy.grants.hosts:
        raise NotGrantable(f"Code in this chat may reach {host_words(host)} already.")
    return Grants(hosts=frozenset({host}))
