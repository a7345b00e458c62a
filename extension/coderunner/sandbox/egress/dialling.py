"""Connecting to a target: looked up once, each address checked, and connected to what was checked."""

import asyncio
import ipaddress
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache

from coderunner.sandbox.egress.addresses import Address, Reach, reach_from_here
from coderunner.sandbox.egress.targets import Allowance, Target
from coderunner.settings.domains import is_address

PIECE = 65_536
"""Bytes that are read at once, and that a reader holds back at most twice."""

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Returns the addresses of a name. Raises OSError where there are none."""
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class NotAllowed(Exception):
    """A target that this conversation may not reach; `grantable`: a person could allow it."""

    def __init__(self, target: Target, *, grantable: bool) -> None:
        super().__init__(str(target))
        self.target = target
        self.grantable = grantable


class Unreachable(Exception):
    """An allowed target that cannot be reached: its HTTP status (502, 504) and the reason as text."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class SystemResolver:
    """The system's own look-up, in threads that hold up neither the loop nor the end of the process."""

    def __init__(self, at_once: int = 16) -> None:
        self._free = asyncio.Semaphore(at_once)

    async def __call__(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host in the system's order. Raises OSError."""
        loop = asyncio.get_running_loop()
        await self._free.acquire()
        answer: asyncio.Future[list[str]] = loop.create_future()

        def tell(found: list[str], failure: OSError | None) -> None:
            self._free.release()  # only now: the thread of a look-up that nobody waits for still runs
            if answer.done():
                return
            if failure is None:
                answer.set_result(found)
            else:
                answer.set_exception(failure)

        def look_up() -> None:
            found: list[str] = []
            failure: OSError | None = None
            try:
                entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                found = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
            except OSError as error:
                failure = error
            except UnicodeError:
                failure = OSError("no name that can be looked up")
            with suppress(RuntimeError):  # the loop has ended: nobody waits
                loop.call_soon_threadsafe(tell, found, failure)

        threading.Thread(target=look_up, name="coderunner-resolver", daemon=True).start()
        return await answer


@dataclass(frozen=True, slots=True)
class Dialler:
    """How targets are found and reached; what a network decides is a value here."""

    resolve: Resolve = field(default_factory=SystemResolver)
    reach: Callable[[Address], Reach] = reach_from_here
    patience: float = 15.0
    """Seconds to read the head of a request, to look up and to connect, each."""
    tls: ssl.SSLContext | None = None
    """Trusts those whom the system trusts, unless it is given."""

    async def connect(self, target: Target, allowed: Allowance, *, encrypted: bool = False) -> Stream:
        """Connect to a target. Raises NotAllowed or Unreachable."""
        if allowed is Allowance.NONE:
            raise NotAllowed(target, grantable=not target.this_machine)
        addresses = _permitted(
            target, allowed, [(each, self.reach(each)) for each in await self._find(target)]
        )
        last = "is not reachable"
        for address in addresses:
            try:
                async with asyncio.timeout(self.patience):
                    return await asyncio.open_connection(
                        str(address),
                        target.port,
                        limit=PIECE,
                        ssl=(self.tls or _trusted()) if encrypted else None,
                        server_hostname=target.host.strip("[]") if encrypted else None,
                    )
            except TimeoutError:
                last = "does not answer"
            except ConnectionRefusedError:
                last = f"refuses connections on port {target.port}"
            except ssl.SSLCertVerificationError as failure:
                last = f"has a certificate that is not trusted: {failure.verify_message}"
            except ssl.SSLError:
                last = f"speaks no TLS on port {target.port}"
            except OSError as failure:
                last = f"cannot be reached: {failure.strerror or 'unknown'}"
        raise Unreachable(504 if last == "does not answer" else 502, f"{target.host} {last}")

    async def _find(self, target: Target) -> list[Address]:
        if is_address(target.host):
            return [ipaddress.ip_address(target.host.strip("[]"))]
        try:
            async with asyncio.timeout(self.patience):
                found = await self.resolve(target.host, target.port)
        except TimeoutError:
            raise Unreachable(504, f"{target.host} cannot be looked up: no answer") from None
        except OSError as failure:
            raise Unreachable(502, f"{target.host} cannot be found: {failure.strerror}") from None
        # A zone (`fe80::1%eth0`) exists for link-local addresses only, which are never reached.
        return [ipaddress.ip_address(each) for each in found if "%" not in each]


def _permitted(target: Target, allowed: Allowance, addresses: list[tuple[Address, Reach]]) -> list[Address]:
    fits = {Reach.PUBLIC} if allowed is Allowance.PUBLIC else {Reach.PUBLIC, Reach.PRIVATE}
    permitted = [address for address, reach in addresses if reach in fits]
    if not permitted:
        raise NotAllowed(target, grantable=any(reach is Reach.PRIVATE for _, reach in addresses))
    return permitted


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()  # reads the system's certificates: 20 ms, once
