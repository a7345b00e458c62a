"""Real and scripted servers for the kernel room's tests, all on loopback."""

import contextlib
import json
import os
import queue
import re
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.request import Request, urlopen

import psutil  # type: ignore[import-untyped]

START = 60.0
"""Seconds for a Jupyter server to come up: two as a rule."""


@dataclass
class Jupyter:
    """A Jupyter server in a process of its own."""

    process: subprocess.Popen[str]
    token: str
    url: str = ""
    log: list[str] = field(default_factory=list)

    def ask(self, path: str, method: str = "GET", content: object = None) -> Any:
        """Ask its REST interface, past everything of ours."""
        body = None if content is None else json.dumps(content).encode()
        headers = {"Authorization": f"token {self.token}"}
        request = Request(f"{self.url}/{path}", data=body, method=method, headers=headers)
        with urlopen(request, timeout=30) as reply:
            return json.loads(reply.read() or b"null")

    def kernels(self) -> list[str]:
        return [kernel["id"] for kernel in self.ask("api/kernels")]

    def session(self, path: str) -> dict[str, dict[str, str]]:
        listed = self.ask("api/sessions")
        return next(one for one in listed if one["path"] == path)


@contextlib.contextmanager
def jupyter_server(directory: Path, *options: str, token: str = "") -> Iterator[Jupyter]:
    """Run a Jupyter server until the block ends; its kernels are on ipc, stuck ones end after a second."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "jupyter_server",
            "--no-browser",
            "--allow-root",
            "--ServerApp.ip=127.0.0.1",
            "--ServerApp.port=0",
            "--KernelManager.transport=ipc",
            "--KernelManager.shutdown_wait_time=1",
            f"--ServerApp.root_dir={directory}",
            *options,
        ],
        env=os.environ | {"JUPYTER_TOKEN": token},
        stderr=subprocess.PIPE,
        text=True,
    )
    server = Jupyter(process, token)
    try:
        base = _base(server)
        server.url = f"http://127.0.0.1:{_port(server)}{base}"
        yield server
    finally:
        process.terminate()
        process.wait(30)


def _base(server: Jupyter) -> str:
    """Read the log until it names the base path; the reader goes on, so that the pipe never fills."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert server.process.stderr is not None
        with server.process.stderr as log:
            for line in log:
                server.log.append(line)
                lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while (line := lines.get(timeout=START)) is not None:
        if found := re.search(r"http://127\.0\.0\.1:\d+(\S*?)/?(\?|$)", line):
            return found[1].removesuffix("/tree").removesuffix("/lab")
    message = f"the Jupyter server ended: {''.join(server.log[-5:])}"
    raise AssertionError(message)


def _port(server: Jupyter) -> int:
    """Wait until it listens, and tell where: version 2.14 names the port that it was told, which is 0."""
    for _ in range(int(START / 0.05)):
        with contextlib.suppress(psutil.Error):
            for each in psutil.Process(server.process.pid).net_connections("tcp"):
                if each.status == psutil.CONN_LISTEN:
                    return int(each.laddr.port)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.process.wait(0.05)
            break
    message = f"the Jupyter server does not listen: {''.join(server.log[-5:])}"
    raise AssertionError(message)


# --- scripted


Answer = tuple[int, Mapping[str, str], str]


@dataclass
class Scripted:
    """A server that gives fixed answers, and notes what it was asked."""

    url: str
    asked: list[tuple[str, str, Mapping[str, str]]]
    """Method, path and headers of each request."""


@contextlib.contextmanager
def scripted_server(
    answers: Mapping[str, Answer],
    otherwise: Answer = (404, {}, ""),
    *,
    tls: Path | None = None,
    ip: str = "127.0.0.1",
) -> Iterator[Scripted]:
    """Answer by path until the block ends; with `tls`, a file with a key and its certificate, over https."""
    asked: list[tuple[str, str, Mapping[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            path = self.path.partition("?")[0]
            asked.append((self.command, self.path, dict(self.headers)))
            status, headers, body = answers.get(path, otherwise)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body.encode())), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((ip, 0), Handler) as server:
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            server.handle_error = lambda *_: None  # type: ignore[method-assign]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        scheme = "https" if tls is not None else "http"
        yield Scripted(f"{scheme}://127.0.0.1:{server.server_port}", asked)
        server.shutdown()


@contextlib.contextmanager
def raw_server(answers: Mapping[str, bytes], otherwise: bytes) -> Iterator[str]:
    """Answer each request by its path, in these very bytes, and close; gives the address."""

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            path = self.rfile.readline().decode("latin-1").split(" ")[1].partition("?")[0]
            length = 0
            while header := self.rfile.readline().strip().lower():
                length = int(header.rpartition(b":")[2]) if header.startswith(b"content-length:") else length
            self.rfile.read(length)
            self.wfile.write(answers.get(path, otherwise))

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
