"""Connecting to a target: looked up once, each address checked, and connected to what was checked."""

import asyncio
import base64
import ipaddress
import os
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import unquote, urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

from coderunner.sandbox.egress.addresses import Address, Reach, reach_from_here
from coderunner.sandbox.egress.http_heads import Malformed, read_response, written
from coderunner.sandbox.egress.targets import Allowance, Target
from coderunner.secret_value import Secret
from coderunner.settings.domains import is_address

PIECE = 131_072
"""Bytes that are read at once, and that a reader holds back at most twice.

asyncio receives 256 kB at once: a reader that holds back less is stopped and started again each time, which
halves what goes through.
"""

SILENT = "does not answer"

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


@dataclass(frozen=True, slots=True)
class ParentProxy:
    """A proxy behind which this machine is."""

    host: str
    port: int
    credentials: Secret = field(default_factory=Secret)
    """User and password with a colon between them; empty: none."""

    def request(self, target: Target) -> bytes:
        """The request for a tunnel to a target."""
        authority = f"{target.host}:{target.port}".encode("ascii")
        headers = [(b"Host", authority)]
        if self.credentials:
            encoded = base64.b64encode(self.credentials.reveal().encode())
            headers.append((b"Proxy-Authorization", b"Basic " + encoded))
        return written(b"CONNECT %b HTTP/1.1" % authority, headers)


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
    parent: Callable[[Target], ParentProxy | None] = field(default_factory=lambda: parent_of(os.environ))
    """The proxy that this machine itself uses for a target, if it does."""

    async def connect(self, target: Target, allowed: Allowance, *, encrypted: bool = False) -> Stream:
        """Connect to a target. Raises NotAllowed or Unreachable."""
        if allowed is Allowance.NONE:
            raise NotAllowed(target, grantable=not target.this_machine)
        parent = self.parent(target)
        try:
            found = await self._find(target)
        except Unreachable:
            if parent is None:
                raise
            found = []  # where a proxy is used, it may be the only one who can look up names
        else:
            found = _permitted(target, allowed, [(each, self.reach(each)) for each in found])
        if parent is not None:
            return await self._through(parent, target, encrypted=encrypted)
        return await self._directly(target, found, encrypted=encrypted)

    async def _directly(self, target: Target, addresses: list[Address], *, encrypted: bool) -> Stream:
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
            except OSError as failure:
                last = _reason(failure, target)
        raise Unreachable(504 if last == SILENT else 502, f"{target.host} {last}")

    async def _through(self, parent: ParentProxy, target: Target, *, encrypted: bool) -> Stream:
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(self.patience):
                reader, writer = await asyncio.open_connection(parent.host, parent.port, limit=PIECE)
                writer.write(parent.request(target))
                answer = read_response(await reader.readuntil(b"\r\n\r\n"))
                if answer.status == 200:
                    if encrypted:
                        context = self.tls or _trusted()
                        await writer.start_tls(context, server_hostname=target.host.strip("[]"))
                    return reader, writer
            reason = f"answers {answer.status} {answer.reason.decode('latin-1')} for {target}"
        except ssl.SSLError as failure:
            reason = f"leads to a server that {_reason(failure, target)}"
        except OSError as failure:
            reason = _reason(failure, Target(parent.host, parent.port))
        except (EOFError, Malformed, asyncio.LimitOverrunError):
            reason = "answers with something other than HTTP/1"
        if writer is not None:
            writer.close()
        raise Unreachable(504 if reason == SILENT else 502, f"the proxy of this machine {reason}")

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


def _reason(failure: OSError, target: Target) -> str:
    match failure:
        case TimeoutError():
            return SILENT
        case ConnectionRefusedError():
            return f"refuses connections on port {target.port}"
        case ssl.SSLCertVerificationError():
            return f"has a certificate that is not trusted: {failure.verify_message}"
        case ssl.SSLError():
            return f"speaks no TLS on port {target.port}"
    return f"cannot be reached: {failure.strerror or 'unknown'}"


def parent_of(environment: Mapping[str, str]) -> Callable[[Target], ParentProxy | None]:
    """Read the proxies that this machine's programs use, from the variables that they all know."""
    proxies = {
        name.lower().removesuffix("_proxy"): value
        # Lower case counts where both are set, as for curl and Python.
        for name, value in sorted(environment.items())
        if name.lower() in ("http_proxy", "https_proxy", "all_proxy", "no_proxy") and value
    }

    def parent(target: Target) -> ParentProxy | None:
        # A port that is not the web's is asked for by CONNECT, as https is.
        address = proxies.get("http" if target.port == 80 else "https") or proxies.get("all", "")
        if not address or proxy_bypass_environment(f"{target.host}:{target.port}", proxies):
            return None
        try:
            parts = urlsplit(address if "://" in address else f"http://{address}")
            if parts.scheme != "http" or not parts.hostname:
                return None
            user, password = unquote(parts.username or ""), unquote(parts.password or "")
            return ParentProxy(parts.hostname, parts.port or 80, Secret(f"{user}:{password}" if user else ""))
        except ValueError:
            return None

    return parent


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()  # reads the system's certificates: 20 ms, once
