"""Whether a server of this machine can be reached from other machines, too."""

import asyncio
import ipaddress
import socket
from contextlib import suppress
from urllib.parse import urlsplit

from coderunner.kernel.server_address import is_loopback

PROBE = 1.0
"""Seconds for a connection from this machine to itself, which takes microseconds."""
ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses that are kept for documents (RFC 5737, RFC 3849): on the way there, as on any other, this
machine shows the address by which the network knows it. Nothing is sent."""


async def outward(url: str) -> list[str]:
    """Return the addresses by which others may reach a server of this machine; of another machine none."""
    host, port = urlsplit(url).hostname or "", urlsplit(url).port
    mine = own_addresses()
    if not (is_loopback(url) or _is_any(host) or host in mine):
        return []
    port = port or (443 if url.startswith("https:") else 80)
    return [address for address in mine if await _listens(address, port)]


def own_addresses() -> list[str]:
    """Return this machine's addresses in the networks around it."""
    return [address for family, target in ELSEWHERE if (address := _seen_from(family, target))]


def _seen_from(family: socket.AddressFamily, target: str) -> str:
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as way:
        way.connect((target, 9))
        address = str(way.getsockname()[0])
        return "" if ipaddress.ip_address(address).is_loopback else address
    return ""


def _is_any(host: str) -> bool:
    return host in ("0.0.0.0", "::")  # noqa: S104 - an address to compare with, not to listen on


async def _listens(address: str, port: int) -> bool:
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(PROBE):
            _, writer = await asyncio.open_connection(address, port)
        writer.close()
        return True
    return False
