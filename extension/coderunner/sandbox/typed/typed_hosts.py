"""A domain as a person types it."""

import ipaddress
import re
import socket
from contextlib import suppress
from urllib.parse import urlsplit

from coderunner.sandbox.egress.addresses import Reach, reach_from_here
from coderunner.sandbox.typed.not_grantable import NotGrantable, cut
from coderunner.settings.domains import THIS_MACHINE, canonical_grant, in_script, is_address, split_port

EXAMPLE = "example.org"

_HERE = "Code in the sandbox never reaches this computer itself."

_SEPARATORS = re.compile(r"[\s,;]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def to_reach(text: str) -> str:
    """The one spelling of the grant of a host. Raises NotGrantable."""
    if not text:
        raise NotGrantable("Enter a domain, such as example.org.")
    if "/" in text:
        raise NotGrantable(_of_address(text))
    if len(_SEPARATORS.split(text)) > 1:
        raise NotGrantable("Enter one domain at a time, without spaces.")
    try:
        grant = canonical_grant(text)
    except ValueError as failure:
        raise NotGrantable(_why_none(text, str(failure))) from None
    host = split_port(grant)[0]
    if is_address(host) and reach_from_here(ipaddress.ip_address(host.strip("[]"))) is Reach.NEVER:
        raise NotGrantable(f"Code in the sandbox never reaches {host}.")
    if host in _own_names():
        raise NotGrantable(_HERE)
    return grant


def _own_names() -> frozenset[str]:
    """The names by which machines call themselves, without asking anybody."""
    name = socket.gethostname().lower().removesuffix(".")
    short = name.partition(".")[0]
    return frozenset({name, *(f"{short}{end}" for end in ("", ".local", ".localdomain"))})


def _of_address(text: str) -> str:
    """What is said of a URL, and of a range of addresses."""
    with suppress(ValueError):
        ipaddress.ip_network(text, strict=False)
        return "Enter one address, not a range of them."
    domain = ""
    with suppress(ValueError):
        parts = urlsplit(text if _SCHEME.match(text) else f"//{text}")
        usual = parts.port in (None, 80, 443)
        domain = canonical_grant((parts.hostname or "") + ("" if usual else f":{parts.port}"))
    return (
        f"Enter the domain alone: {cut(in_script(domain))}"
        if domain
        else f"Enter a domain alone, such as {EXAMPLE}."
    )


def _why_none(text: str, failure: str) -> str:
    if failure == THIS_MACHINE:
        return _HERE
    name, colon, _port = text.rpartition(":")
    with suppress(ValueError):
        # The rest is one, so it is the port.
        if colon and canonical_grant(name):
            return f"A port is a number from 1 to 65535, as in {EXAMPLE}:8443."
    return f"“{cut(text)}” is not a domain. Enter one like {EXAMPLE}, *.{EXAMPLE} or {EXAMPLE}:8443."
