"""Whose an IP address is: the public internet's, a private network's, or one that no code may reach."""

import ipaddress
import socket
from contextlib import suppress
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address


class Reach(Enum):
    """Who may be allowed to reach an address."""

    PUBLIC = "public"
    PRIVATE = "private"
    """Only who was allowed this very name or address."""
    NEVER = "never"
    """This machine, and services that give a machine's credentials to whatever runs on it."""


_NEVER = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8",
            "127.0.0.0/8",
            "169.254.0.0/16",  # link-local: also where clouds serve a machine's credentials
            "100.100.100.200/32",  # the same of Alibaba's cloud
            "168.63.129.16/32",  # the same of Azure: the address looks public
            "192.0.0.0/24",  # the same of Oracle's cloud, and protocols
            "224.0.0.0/4",
            "240.0.0.0/4",
            "::/96",  # unspecified, loopback, and IPv4 in a form that is no longer used
            "fe80::/10",
            "fec0::/10",
            "ff00::/8",
            "fd00:ec2::/32",  # credentials in Amazon's cloud
            "fd20:ce::/32",  # credentials in Google's cloud
        ),
    )
)
_PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        (
            "10.0.0.0/8",
            "100.64.0.0/10",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "fc00::/7",
        ),
    )
)
_INTERNET = IPv6Network("2000::/3")
_TRANSLATED = IPv6Network("64:ff9b::/96")  # RFC 6052: the last four bytes are an IPv4 address
_SIX_TO_FOUR = IPv6Network("2002::/16")


def reach_of(address: Address) -> Reach:
    """Whose an address is, by the address alone; one that carries another is what it carries."""
    carried = _carried(address)
    if carried is not None:
        return reach_of(carried)
    for networks, reach in ((_NEVER, Reach.NEVER), (_PRIVATE, Reach.PRIVATE)):
        if any(_within(address, network) for network in networks):
            return reach
    if isinstance(address, IPv6Address) and address not in _INTERNET:
        return Reach.NEVER
    # What else is set apart (documentation, benchmarks) is nobody's whom code could want to reach.
    return Reach.PUBLIC if address.is_global else Reach.PRIVATE


def _carried(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.sixtofour if address in _SIX_TO_FOUR else None


def _within(address: Address, network: IPv4Network | IPv6Network) -> bool:
    return address.version == network.version and address in network


def reach_from_here(address: Address) -> Reach:
    """The same, seen from this machine: its own addresses are never reached, public ones neither."""
    return Reach.NEVER if is_own(address) else reach_of(address)


def is_own(address: Address) -> bool:
    """Tell whether an address is one of this machine's; asks the system's routes and sends nothing."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as unsent:
        # The system answers an address of its own from that address; port 9 is as good as any other.
        unsent.connect((str(address), 9))
        return bool(ipaddress.ip_address(unsent.getsockname()[0].partition("%")[0]) == address)
    return False
