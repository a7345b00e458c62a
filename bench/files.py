"""Files of a chat: what a large one costs to send and to fetch, and a look at a folder with thousands.

    python -m bench.files [--megabytes 1000] [--rounds 3] [--server]

The app runs in a process of its own, and a plain socket talks to it, whose client takes as little as can be:
it sends by `sendfile`, and what it fetches goes from its socket through a pipe into a file, or to nowhere.
In turns with that go `cp` of the same file, a bare socket whose bytes go through a pipe into a file, without
HTTP, and the least that an ASGI server can do with such requests: a file written as it comes, and one given
in large pieces, without a check of anything. Ratios are medians of those within a round. Where the machine is
shared, the time of a processor that the servers took says more than rates. A file of that size is written
and deleted before each of them, so that all find memory that was just given back: to other memory a machine
may write at a third of the speed. With `--server`, the same file goes to a Jupyter server, by our folder and
by the plainest client of its Contents API, with chunks as large as ours. Memory is the most that our process
takes beyond what it took before, as Linux counts it.
"""

import argparse
import asyncio
import base64
import fcntl
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import FileIO
from pathlib import Path
from urllib.parse import quote

import httpx
import uvicorn
from starlette.types import Receive, Scope, Send
from tests.kernel.servers import Jupyter, jupyter_server

from coderunner.files.folder_listing import list_files
from coderunner.hosts.app.server import App
from coderunner.kernel.connections.servers.contents.contents_api import CHUNK
from coderunner.kernel.connections.servers.contents.contents_folder import ContentsFolder
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.kernel_location import Server
from coderunner.page.server.routes import HEADER
from coderunner.secret_value import Secret
from coderunner.settings.settings import load

FILES = 10_000


async def least(scope: Scope, receive: Receive, send: Send) -> None:
    """Keep what is sent, and give it back: what HTTP itself costs in a server of this kind."""
    kept = Path(tempfile.gettempdir()) / f"least-{os.getpid()}"
    if scope["method"] == "PUT":
        with kept.open("wb", buffering=0) as file:
            more = True
            while more:
                message = await receive()
                file.write(message.get("body", b""))
                more = message.get("more_body", False)
    length = str(kept.stat().st_size if scope["method"] == "GET" else 0).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    if scope["method"] == "GET":
        with kept.open("rb", buffering=0) as file:
            while piece := file.read(1024 * 1024):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        kept.unlink()
    await send({"type": "http.response.body", "body": b""})


async def serve_least() -> None:
    """The same for it."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"port": listener.getsockname()[1], "token": "", "chat": ""}), flush=True)
    config = uvicorn.Config(least, log_level="error", lifespan="off")
    await uvicorn.Server(config).serve([listener])


async def serve(home: Path) -> None:
    """The app; prints its address, the page's token and a conversation."""
    app = App(load({"demo": True, "data_dir": home, "login": False, "sandbox": "off"}))
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app.asgi(), log_level="error")
    told = {
        "port": listener.getsockname()[1],
        "token": app.rights.token,
        "chat": app.conversations.new().id,
    }
    print(json.dumps(told), flush=True)
    await uvicorn.Server(config).serve([listener])


class Served:
    """The app in its own process."""

    def __init__(self, process: subprocess.Popen[str], told: dict[str, str]) -> None:
        self.pid, self.port = process.pid, int(told["port"])
        self.token, self.chat = told["token"], told["chat"]

    def ask(self, method: str, path: str, length: int = 0) -> socket.socket:
        """Send a request's head."""
        connection = socket.create_connection(("127.0.0.1", self.port))
        head = (
            f"{method} /coderunner/{path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"{HEADER}: {self.token}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        )
        connection.sendall(head.encode())
        return connection

    def upload(self, source: Path) -> None:
        """Send a file as a browser does, without its own costs."""
        target = f"files?c={quote(self.chat)}&path=big.bin"
        with self.ask("PUT", target, source.stat().st_size) as connection, source.open("rb") as file:
            connection.sendfile(file)
            answer = connection.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 200"), answer[:500]

    def download(self, target: Path) -> None:
        """Fetch the file, and write it down, or to nowhere."""
        path = f"file?c={quote(self.chat)}&path=big.bin"
        with self.ask("GET", path) as connection, target.open("wb", buffering=0) as file:
            head = connection.makefile("rb", buffering=0)
            while head.readline().strip():
                pass
            pour(connection, file)

    def listed(self) -> list[str]:
        """The paths of the chat's files."""
        answer = httpx.get(
            f"http://127.0.0.1:{self.port}/coderunner/files",
            params={"c": self.chat},
            headers={HEADER: self.token},
            trust_env=False,
        )
        return [file["path"] for file in answer.json()["files"]]

    def forget(self) -> None:
        """Delete what was uploaded, so that each round begins alike."""
        answer = httpx.post(
            f"http://127.0.0.1:{self.port}/coderunner/files",
            params={"c": self.chat},
            headers={HEADER: self.token},
            json={"delete": self.listed()},
            trust_env=False,
        )
        assert answer.status_code == 200, answer.text


def pour(connection: socket.socket, file: FileIO) -> None:
    """Write what comes to a file, without holding it."""
    out, into = os.pipe()
    fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, 1024 * 1024)
    while count := os.splice(connection.fileno(), into, 1024 * 1024):
        while count:
            count -= os.splice(out, file.fileno(), count)
    os.close(out)
    os.close(into)


def bare(source: Path, target: Path) -> None:
    """Send a file through a bare socket into another file, which is this thread's part."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        connection, _ = listener.accept()
    with source.open("rb") as file, target.open("wb", buffering=0) as kept, connection:
        sending = threading.Thread(target=lambda: (client.sendfile(file), client.close()))
        sending.start()
        pour(connection, kept)
        sending.join()


@contextmanager
def served(*options: str) -> Iterator[Served]:
    """The app, or the least there is, until the block ends."""
    command = [sys.executable, "-m", "bench.files", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Served(process, json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait(30)


def memory_of(pid: int, *, begin: bool = False) -> int:
    """The most bytes of memory that a process took since it was asked to `begin`; what it takes then."""
    if begin:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:" if begin else "VmHWM:"):
            return int(line.split()[1]) * 1024
    raise LookupError(pid)


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def copy(source: Path, target: Path) -> None:
    """What the system's own program does."""
    subprocess.run(["cp", "--reflink=never", source, target], check=True)


def level(source: Path, scratch: Path) -> None:
    """Have the system find as much memory that was just given back as a copy takes."""
    copy(source, scratch)
    scratch.unlink()


def processor_of(pid: int) -> float:
    """Seconds of a processor that a process took."""
    its = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(its[11]) + int(its[12])) / os.sysconf("SC_CLK_TCK")


def processor_of_ended() -> float:
    """The same for programs that were started here and have ended."""
    its = resource.getrusage(resource.RUSAGE_CHILDREN)
    return its.ru_utime + its.ru_stime


def here(source: Path, folder: Path, rounds: int) -> None:
    """The app on this machine, with `cp` in turns."""
    fetched = folder / "fetched"
    with served("--serve", str(folder / "home")) as app, served("--serve-least") as floor:
        of_app, of_floor = partial(processor_of, app.pid), partial(processor_of, floor.pid)
        ways: dict[str, tuple[Callable[[], object], Callable[[], float]]] = {
            "cp": (lambda: copy(source, folder / "copy"), processor_of_ended),
            "bare socket into a file": (lambda: bare(source, folder / "bare"), time.thread_time),
            "least upload": (lambda: floor.upload(source), of_floor),
            "upload": (lambda: app.upload(source), of_app),
            "least download": (lambda: floor.download(fetched), of_floor),
            "download": (lambda: app.download(fetched), of_app),
            "download to nowhere": (lambda: app.download(Path(os.devnull)), of_app),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        processor: dict[str, list[float]] = {name: [] for name in ways}
        memory = dict.fromkeys(ways, 0)
        app.listed()
        for _ in range(rounds):
            for name, (work, clock) in ways.items():
                level(source, folder / "before")
                before, took = memory_of(app.pid, begin=True), clock()
                seconds[name].append(timed(work))
                processor[name].append(clock() - took)
                memory[name] = max(memory[name], memory_of(app.pid) - before)
                for made in ("copy", "bare", "fetched"):
                    (folder / made).unlink(missing_ok=True)
            app.forget()
    say(source, seconds, "cp")
    gigabytes = source.stat().st_size / 1e9
    for name, each in processor.items():
        print(f"{name}: {statistics.median(each) / gigabytes:.2f} s of a processor a GB")
    for name in ("upload", "download"):
        print(f"{name}: {memory[name] / 1e6:.0f} MB of memory more than before")
    for name in ("least upload", "bare socket into a file"):
        print(f"upload: {ratio(seconds[name], seconds['upload']):.2f} of the rate of {name}")


def there(source: Path, folder: Path, rounds: int) -> None:
    """A Jupyter server, with the plainest client in turns."""
    seconds: dict[str, list[float]] = {"plain PUT": [], "upload": [], "plain GET": [], "download": []}
    root = folder / "root"
    root.mkdir()
    with jupyter_server(root, token="bench") as jupyter:
        where = Server(jupyter.url, Secret("bench"))
        chat = ContentsFolder(where, "coderunner/chat", io_thread().run)
        most = 0
        for _ in range(rounds):
            seconds["plain PUT"].append(timed(lambda: plain_put(jupyter, source)))
            before = memory_of(os.getpid(), begin=True)
            seconds["upload"].append(timed(lambda: asyncio.run(put(chat, source))))
            seconds["download"].append(timed(lambda: asyncio.run(fetch(chat))))
            most = max(most, memory_of(os.getpid()) - before)
            seconds["plain GET"].append(timed(lambda: plain_get(jupyter)))
            for path in ("plain.bin", "coderunner/chat/big.bin"):
                (root / path).unlink()
    say(source, seconds, "plain PUT")
    print(f"{most / 1e6:.0f} MB of memory more than before")


async def put(chat: ContentsFolder, source: Path) -> None:
    """Our folder takes the file in as it comes from a network."""

    async def pieces() -> AsyncIterator[bytes]:
        with source.open("rb", buffering=0) as file:
            while piece := file.read(256 * 1024):
                yield piece

    await chat.write("big.bin", pieces(), await asyncio.to_thread(lambda: source.stat().st_size))


async def fetch(chat: ContentsFolder) -> None:
    """Our folder gives the file."""
    opened = await chat.open("big.bin")
    async for _ in opened.pieces(0, opened.size):
        pass


def plain_put(jupyter: Jupyter, source: Path) -> None:
    """The plainest client: one connection, chunk after chunk."""
    headers = {"Authorization": f"token {jupyter.token}"}
    client = httpx.Client(base_url=jupyter.url, headers=headers, trust_env=False, timeout=60)
    with client, source.open("rb") as file:
        left, number = source.stat().st_size, 0
        while chunk := file.read(CHUNK):
            left, number = left - len(chunk), number + 1
            model = {
                "type": "file",
                "format": "base64",
                "chunk": number if left else -1,
                "content": base64.b64encode(chunk).decode(),
            }
            client.put("api/contents/plain.bin", json=model).raise_for_status()


def plain_get(jupyter: Jupyter) -> None:
    """The plainest download."""
    headers = {"Authorization": f"token {jupyter.token}"}
    url = f"{jupyter.url}/files/plain.bin"
    with httpx.stream("GET", url, headers=headers, trust_env=False, timeout=60) as answer:
        for _ in answer.iter_raw():
            pass


def ratio(base: list[float], seconds: list[float]) -> float:
    """How many times as fast as that, in the middle one of the rounds."""
    return statistics.median(its / ours for its, ours in zip(base, seconds, strict=True))


def say(source: Path, seconds: dict[str, list[float]], to: str) -> None:
    """Rates, and each relative to the one that is compared to."""
    for name, each in seconds.items():
        rate = source.stat().st_size / statistics.median(each) / 1e6
        print(f"{name}: {rate:.0f} MB/s, {ratio(seconds[to], each):.2f} of {to}")


def look(folder: Path) -> None:
    """A folder of ten thousand files, read whole."""
    many = folder / "many"
    many.mkdir()
    for number in range(FILES):
        (many / f"file-{number}.txt").write_text("x" * (number % 50))
    times = sorted(timed(lambda: list_files(many)) for _ in range(20))
    print(f"a look at {FILES} files: {times[10] * 1e3:.0f} ms, {times[0] * 1e3:.0f} ms at best")


def main() -> None:
    """Measure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--megabytes", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--server", action="store_true")
    options.add_argument("--serve", type=Path)
    options.add_argument("--serve-least", action="store_true")
    chosen = options.parse_args()
    if chosen.serve:
        asyncio.run(serve(chosen.serve))
        return
    if chosen.serve_least:
        asyncio.run(serve_least())
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        look(folder)
        source = folder / "source.bin"
        with source.open("wb") as file:
            for _ in range(chosen.megabytes):
                file.write(os.urandom(1_000_000))
        here(source, folder, chosen.rounds)
        if chosen.server:
            there(source, folder, chosen.rounds)


if __name__ == "__main__":
    main()
