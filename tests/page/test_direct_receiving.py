"""A file that is uploaded, from the client's socket to the disk, on a server as hosts run it."""

import errno
import os
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from coderunner.files.chat_folder import ChatFolder
from coderunner.files.local_folder import LocalFolder
from coderunner.page.server.files import direct_receiving, file_routes
from coderunner.page.server.files.file_routes import FileRoutes
from coderunner.page.server.routes import HEADER, Rights
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, served

RIGHTS = Rights(owner=lambda _scope: "me")
LARGE = bytes(range(256)) * 40_000
SLOW = 40
"""More than there are threads for."""


class Chat:
    """The folder of the only chat."""

    def __init__(self) -> None:
        self.folder = Path()

    async def folder_of(self, _chat: str) -> ChatFolder | None:
        return LocalFolder(self.folder)


CHAT = Chat()


def app() -> Starlette:
    return Starlette(routes=FileRoutes(RIGHTS, CHAT.folder_of).all())


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(app) as address:
        yield address


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes that the server has held of uploads, piece by piece; the chat's folder is empty."""
    CHAT.folder = tmp_path
    pieces: list[int] = []
    bare = Request.stream

    async def stream(request: Request) -> object:
        async for piece in bare(request):
            pieces.append(len(piece))
            yield piece

    monkeypatch.setattr(Request, "stream", stream)
    return pieces


def connect(address: str) -> socket.socket:
    """A client's connection."""
    host, _, port = address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=BOUND)


def head(method: str, name: str, length: int, *more: str) -> bytes:
    """The beginning of a request."""
    target = "file" if method == "GET" else "files"
    lines = [
        f"{method} /coderunner/{target}?c=one&path={name} HTTP/1.1",
        "Host: 127.0.0.1",
        f"{HEADER}: {RIGHTS.token}",
        f"Content-Length: {length}",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def answer(client: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Read an answer: status, headers, body."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += client.recv(1) or pytest.fail(f"closed after {received!r}")
    first, *lines = received.decode().strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body, length = b"", int(headers.get("content-length", "0"))
    while len(body) < length:
        body += client.recv(length - len(body)) or pytest.fail("closed in the middle")
    return int(first.split()[1]), headers, body


def open_files() -> int:
    """How many files of the chat are open, on Linux."""
    links = []
    for handle in Path("/proc/self/fd").glob("*"):
        with suppress(OSError):
            links.append(handle.readlink())
    return sum(link.is_relative_to(CHAT.folder) for link in links)


def wait_until(done: Callable[[], bool]) -> None:
    until = time.monotonic() + BOUND
    while not done():
        assert time.monotonic() < until
        time.sleep(0.01)


@behaviour("files:upload:direct")
def test_a_large_file_goes_to_the_disk_unheld_and_the_connection_serves_what_comes_next(
    address: str, held: list[int]
) -> None:
    with closing(connect(address)) as client:
        client.sendall(head("PUT", "large.bin", len(LARGE)))
        client.sendall(LARGE[:9])
        client.sendall(LARGE[9:5_000_000])
        # What follows is sent at once with the rest, as a client may that waits for no answer.
        client.sendall(LARGE[5_000_000:] + head("GET", "large.bin", 0) + head("PUT", "b.bin", 2_000_000))
        assert answer(client)[::2] == (200, b'{"path":"large.bin","size":10240000,"kind":"none"}')
        assert answer(client)[::2] == (200, LARGE)
        client.sendall(b"x" * 2_000_000 + head("PUT", "large.bin", len(LARGE), "Expect: 100-continue"))
        assert answer(client)[0] == 200
        assert answer(client)[0] == 100
        client.sendall(LARGE)
        assert answer(client)[0] == 200
    assert (CHAT.folder / "large (2).bin").read_bytes() == LARGE
    assert (CHAT.folder / "b.bin").read_bytes() == b"x" * 2_000_000
    assert sum(held) < 5_000_000 or sys.platform != "linux"


@behaviour("files:upload:direct")
@pytest.mark.skipif(sys.platform != "linux", reason="the system cannot do it")
@pytest.mark.parametrize("lacks", ["from sockets", "to files"])
def test_where_the_system_cannot_do_it_a_file_is_whole_all_the_same(
    address: str, held: list[int], monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    bare = os.splice

    def splice(source: int, target: int, count: int) -> int:
        if stat.S_ISSOCK(os.fstat(source).st_mode) == (lacks == "from sockets"):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return bare(source, target, count)

    monkeypatch.setattr(os, "splice", splice)
    with closing(connect(address)) as client:
        for name in ("a.bin", "b.bin"):
            client.sendall(head("PUT", name, len(LARGE)) + LARGE)
            assert answer(client)[0] == 200
            assert (CHAT.folder / name).read_bytes() == LARGE
    assert (sum(held) < 2_000_000) == (lacks == "to files")


@behaviour("files:routes:broken")
@pytest.mark.parametrize("how", ["leaves", "stops sending", "falls silent"])
def test_of_a_large_upload_that_breaks_off_nothing_is_left(
    address: str, held: list[int], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "falls silent":
        monkeypatch.setattr(direct_receiving, "PATIENCE", 0.01)
        monkeypatch.setattr(direct_receiving, "SILENCE", 0.1)
    with closing(connect(address)) as client:
        client.sendall(head("PUT", "large.bin", len(LARGE)) + LARGE[:-1])
        wait_until(lambda: open_files() > 0 or sys.platform != "linux")
        if how == "stops sending":
            client.shutdown(socket.SHUT_WR)
        if how != "leaves":
            with suppress(ConnectionError):
                assert client.recv(1) == b""
    wait_until(lambda: open_files() == 0)
    assert list(CHAT.folder.rglob("*")) == []
    with httpx.Client(trust_env=False, timeout=BOUND) as other:
        target = f"{address}/coderunner/files?c=one&path=large.bin"
        assert other.put(target, content=LARGE, headers={HEADER: RIGHTS.token}).status_code == 200


@behaviour("files:write:room")
def test_a_disk_that_takes_no_more_of_a_large_upload_is_told_and_nothing_is_left(
    address: str, held: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(file_routes, "UNREAD_TIME", 0.1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, before[1]))
    try:
        with closing(connect(address)) as client:
            client.sendall(head("PUT", "large.bin", len(LARGE)) + LARGE)
            status, headers, body = answer(client)
            assert client.recv(1) == b""
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    said = b'{"error":"large.bin is larger than a file may be on this disk."}'
    assert (status, headers["connection"], body) == (507, "close", said)
    assert list(CHAT.folder.rglob("*")) == []


@behaviour("files:routes:slow")
def test_slow_clients_hold_up_nobody_and_a_server_that_ends_does_not_wait_for_them(
    held: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct_receiving, "PATIENCE", 0.01)
    (CHAT.folder / "large.bin").write_bytes(LARGE)
    ended = threading.Event()
    with ExitStack() as stack:
        with served(app) as address:
            clients = [stack.enter_context(closing(connect(address))) for _ in range(2 * SLOW)]
            uploads, downloads = clients[:SLOW], clients[SLOW:]
            for client in uploads:
                client.sendall(head("PUT", "slow.bin", len(LARGE)) + LARGE[:100_000])
            for client in downloads:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.sendall(head("GET", "large.bin", 0))

            def trickle() -> None:
                while not ended.wait(0.01):
                    for client in uploads:
                        client.send(b"x")
                    for client in downloads:
                        client.recv(1)

            trickling = threading.Thread(target=trickle)
            trickling.start()
            try:
                wait_until(lambda: open_files() == 2 * SLOW or sys.platform != "linux")
                with httpx.Client(trust_env=False, timeout=BOUND, headers={HEADER: RIGHTS.token}) as other:
                    files = f"{address}/coderunner/files?c=one"
                    assert len(other.get(files).json()["files"]) == 1
                    assert other.put(f"{files}&path=quick.bin", content=LARGE).status_code == 200
                    quick = other.get(f"{address}/coderunner/file?c=one&path=quick.bin")
                    assert quick.content == LARGE
            finally:
                ended.set()
                trickling.join()
        wait_until(lambda: open_files() == 0)
    assert sorted(path.name for path in CHAT.folder.iterdir()) == ["large.bin", "quick.bin"]
