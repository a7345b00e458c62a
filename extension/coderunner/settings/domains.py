"""Names of hosts as they are granted and asked for: one spelling for each, nothing that means two things."""

import ipaddress
import re
import unicodedata
from contextlib import suppress

NAMED = ("all", "packages")
"""Grants that are no domain."""

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)

LONGEST = 253
"""Characters of a name: RFC 1035 has 255 bytes, two of them for lengths."""

THIS_MACHINE = "names of other machines: code in the sandbox never reaches this one"
NOT_A_DOMAIN = "domain names like example.org, *.example.org or example.org:8443, without https:// and path"


def canonical_host(text: str) -> str:
    """The one spelling of a domain name or address: lower case, no dot at the end, `xn--` for other scripts.

    An IPv6 address keeps its brackets. Raises ValueError for everything else, such as the numbers that some
    systems take for addresses (`0x7f.1`).
    """
    if text.startswith("["):
        if not text.endswith("]") or "%" in text:
            raise ValueError(NOT_A_DOMAIN)
        return f"[{ipaddress.IPv6Address(text[1:-1])}]"
    labels = [_label(each) for each in text.removesuffix(".").split(".")]
    name = ".".join(labels)
    if len(name) > LONGEST:
        raise ValueError(NOT_A_DOMAIN)
    # As the URL standard has it: what ends in a number is an IPv4 address, and then a whole one.
    return str(ipaddress.IPv4Address(name)) if _NUMBER.fullmatch(labels[-1]) else name


def _label(text: str) -> str:
    label = unicodedata.normalize("NFC", text.lower())
    if not label.isascii():
        if not all(each in "-_" or unicodedata.category(each)[0] in "LMN" for each in label):
            raise ValueError(NOT_A_DOMAIN)  # other dots, blanks and marks: some programs read them as others
        label = "xn--" + label.encode("punycode").decode("ascii")
    if not _LABEL.fullmatch(label):
        raise ValueError(NOT_A_DOMAIN)
    return label


def in_script(grant: str) -> str:
    """A domain, or a grant of one, for a person: what stands for another script is followed by that script.

    The name that counts stays in sight, since letters of two scripts may look the same.
    """
    host, colon, port = grant.partition(":")
    read = ".".join(map(_read, host.split("."))) + colon + port
    return grant if read == grant else f"{grant} ({read})"


def _read(label: str) -> str:
    with suppress(ValueError):
        read = label.removeprefix("xn--").encode("ascii").decode("punycode")
        if label.startswith("xn--") and _label(read) == label:
            return read
    return label


def canonical_grant(text: str) -> str:
    """The one spelling of a grant: a host, all below one (`*.example.org`), with a port; `all`, `packages`.

    Raises ValueError with what it may be, and for this machine itself.
    """
    text = text.strip()
    if text.lower() in NAMED:
        return text.lower()
    if text.count(":") > 1 and not text.startswith("["):
        text = f"[{text}]"
    name, port = split_port(text)
    wildcard = "*." if name.startswith("*.") else ""
    host = canonical_host(name.removeprefix(wildcard))
    if wildcard and is_address(host):
        raise ValueError(NOT_A_DOMAIN)
    if means_this_machine(host):
        raise ValueError(THIS_MACHINE)
    return f"{wildcard}{host}" + (f":{port}" if port else "")


def split_port(text: str) -> tuple[str, int]:
    """The host of `host:port`, and the port, 0 if none is written. Raises ValueError for one that is none."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        return text, 0
    if not _PORT.fullmatch(port) or int(port) > 65_535:
        raise ValueError(NOT_A_DOMAIN)
    return host, int(port)


def is_address(host: str) -> bool:
    """Tell whether a canonical host is an address and no name."""
    return host.startswith("[") or host.rpartition(".")[2].isdigit()


def means_this_machine(host: str) -> bool:
    """Tell whether a canonical host means the machine that it is used on, before it is looked up."""
    if is_address(host):
        address = ipaddress.ip_address(host.strip("[]"))
        mapped = getattr(address, "ipv4_mapped", None) or address
        return bool(mapped.is_loopback or mapped.is_unspecified)
    return host == "localhost" or host.endswith(".localhost")
