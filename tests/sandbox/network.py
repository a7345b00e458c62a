"""A network in which names are what a table says; loopback addresses stand for the internet.

Real sockets, real servers, real clients in processes of their own; only look-up and the judgement of
addresses are values of the test.
"""

import asyncio
import contextlib
import json
import ssl
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from coderunner.sandbox.egress.addresses import Address, Reach
from coderunner.sandbox.egress.dialling import Dialler, ParentProxy, Resolve
from coderunner.sandbox.egress.egress_proxy import EgressProxy
from coderunner.sandbox.egress.gate import Gate
from coderunner.sandbox.egress.targets import Target
from coderunner.settings.code_secrets import CodeSecret
from coderunner.settings.package_indexes import PackageIndexes

INTERNET, PRIVATE, MACHINE = "127.0.0.2", "127.0.0.3", "127.0.0.1"
REACH = {INTERNET: Reach.PUBLIC, PRIVATE: Reach.PRIVATE}
NAMES = {
    "example.org": [INTERNET],
    "www.example.org": [INTERNET],
    "other.example": [INTERNET],
    "intranet.example": [PRIVATE],
    "rebound.example": [MACHINE],
    "mixed.example": [MACHINE, PRIVATE, INTERNET],
}


def reach(address: Address) -> Reach:
    return REACH.get(str(address), Reach.NEVER)


async def resolve(host: str, _port: int) -> list[str]:
    if host not in NAMES:
        raise OSError(-2, "Name or service not known")
    return NAMES[host]


def direct(_target: Target) -> ParentProxy | None:
    return None


@dataclass
class Network:
    """A proxy with one gate for a conversation, and what that conversation was granted."""

    proxy: EgressProxy
    gate: Gate
    grants: set[str]

    @property
    def refused(self) -> tuple[str, ...]:
        return self.proxy.take_refused("chat")


@contextlib.asynccontextmanager
async def network(
    *grants: str,
    tls: ssl.SSLContext | None = None,
    patience: float = 5.0,
    indexes: PackageIndexes | None = None,
    secrets: Iterable[CodeSecret] = (),
    parent: Callable[[Target], ParentProxy | None] = direct,
    lookup: Resolve = resolve,
) -> AsyncIterator[Network]:
    granted = set(grants)
    dialler = Dialler(lookup, reach, patience, tls, parent)
    proxy = EgressProxy(lambda _conversation: frozenset(granted), dialler, indexes, secrets)
    gate = proxy.open_port("chat")
    try:
        yield Network(proxy, gate, granted)
    finally:
        gate.close()


async def client(gate: Gate, code: str, *arguments: object, **variables: str) -> Any:
    """Run a program in a process that knows of the proxy as a kernel does; what it printed as JSON."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        textwrap.dedent(code),
        *map(str, arguments),
        env=gate.environment | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return json.loads(out)


def self_signed(folder: Path) -> Path:
    """A key and a certificate that it signed itself, for example.org, in one file."""
    path = folder / "server.pem"
    options = "-x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=DNS:example.org"
    made = subprocess.run(
        ["openssl", "req", *options.split(), "-keyout", str(path), "-out", "-"],
        capture_output=True,
        check=True,
    )
    with path.open("ab") as file:
        file.write(made.stdout)
    return path


def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


@dataclass
class Site:
    """An HTTP server, and the requests that reached it as (method, path, headers, body)."""

    port: int
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    pages: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Type and content by path; of every other path a greeting."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def answer(self) -> None:
        body = self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.site.requests.append((self.command, self.path, headers, body))
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "http://other.example/")
            content = b""
        else:
            greeting = ("text/plain", b"hello from " + headers["host"].encode())
            kind, content = self.site.pages.get(self.path, greeting)
            self.send_response(200)
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_HEAD = do_PUT = answer  # noqa: N815 - the library's names

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def site(address: str = INTERNET, *, tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    server = ThreadingHTTPServer((address, 0), _Handler)
    found = Site(server.server_address[1])
    server.RequestHandlerClass = type("Handler", (_Handler,), {"site": found})
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def canary(address: str = MACHINE) -> Iterator[Site]:
    """A port that nothing may connect to; its requests are the connections."""
    import socket

    with socket.create_server((address, 0)) as listener:
        found = Site(listener.getsockname()[1])
        yield found
        listener.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                connection, _ = listener.accept()
                connection.close()
                found.requests.append(("connection", "", {}, b""))


assert ip_address(INTERNET).is_loopback  # nothing here leaves this machine
