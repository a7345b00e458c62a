"""A reverse proxy with passwords before the app: nginx with the configuration of the docs, or one like it."""

import asyncio
import base64
import contextlib
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.hosts.app.browsing import BOUND
from tests.hosts.team.place import HEADER

DOCS = Path(__file__).parents[3] / "docs" / "deploy.md"
PASSWORDS = {"ada": "of ada", "bob": "of bob"}
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
OPENSSL = shutil.which("openssl")
PLACES = [f"{each}_temp_path" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")]


@contextlib.contextmanager
def reverse_proxy(folder: Path, app: Path, port: int) -> Iterator[None]:
    """A proxy at a port, before the app that listens at the socket `app`."""
    with nginx(folder, app, port) if NGINX and OPENSSL else small(app, port):
        yield


def scheme() -> str:
    """How browsers reach it."""
    return "https" if NGINX and OPENSSL else "http"


@contextlib.contextmanager
def nginx(folder: Path, app: Path, port: int) -> Iterator[None]:
    """The configuration of the docs, with other names and paths."""
    assert NGINX is not None
    made = folder / "certificate.pem", folder / "key.pem"
    _run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2",
         "-keyout", str(made[1]), "-out", str(made[0]))  # fmt: skip
    lines = [f"{name}:{_run('passwd', '-apr1', word).strip()}\n" for name, word in PASSWORDS.items()]
    (folder / "users").write_text("".join(lines), encoding="utf-8")
    server = re.findall(r"(?s)```nginx\n(.*?)```", DOCS.read_text(encoding="utf-8"))[0]
    for written, real in {
        "443 ssl": f"127.0.0.1:{port} ssl",
        "/etc/ssl/chat.example.org.pem": str(made[0]),
        "/etc/ssl/chat.example.org.key": str(made[1]),
        "/etc/nginx/coderunner.users": str(folder / "users"),
        "/run/coderunner/app.sock": str(app),
    }.items():
        assert written in server
        server = server.replace(written, real)
    # The workers are of our own user, who alone can enter the folder.
    user = "user root;" if Path("/root").owner() == Path(folder).owner() else ""
    places = "".join(f"{name} {folder / name};\n" for name in PLACES)
    whole = (
        f"{user} daemon off; pid {folder / 'pid'}; worker_processes 1; error_log {folder / 'errors'};\n"
        f"events {{}}\nhttp {{ access_log off;\n{places}{server}\n}}\n"
    )
    (folder / "nginx.conf").write_text(whole, encoding="utf-8")
    process = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        _until_it_listens(port, process)
        yield
    finally:
        process.terminate()
        process.wait(BOUND)


def _run(*arguments: str) -> str:
    assert OPENSSL is not None
    return subprocess.run([OPENSSL, *arguments], capture_output=True, text=True, check=True).stdout


def _until_it_listens(port: int, process: "subprocess.Popen[bytes]") -> None:
    waiting = threading.Event()
    for _ in range(int(BOUND / 0.05)):
        assert process.poll() is None, "nginx has ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        waiting.wait(0.05)
    raise TimeoutError(port)


@contextlib.contextmanager
def small(app: Path, port: int) -> Iterator[None]:
    """The same without nginx: asks for a password, replaces the header, and passes the rest on as it is."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(lambda r, w: _pass_on(r, w, app), "127.0.0.1", port)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(BOUND)
    try:
        yield
    finally:

        async def end() -> None:
            server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), loop).result(BOUND)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(BOUND)
        loop.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, app: Path) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError), contextlib.closing(writer):
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        headers = [line.partition(":") for line in lines]
        known = {f"Basic {_encoded(name)}": name for name in PASSWORDS}
        said = [value.strip() for name, _, value in headers if name.lower() == "authorization"]
        name = known.get(said[0]) if said else None
        if name is None and " /coderunner/public/" not in first:
            body = b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=CodeRunner\r\nContent-Length: 0\r\n"
            writer.write(body + b"Connection: close\r\n\r\n")
            await writer.drain()
            return
        upgrade = any(name.lower() == "upgrade" for name, _, _ in headers)
        left = {"authorization", HEADER.lower(), *(() if upgrade else ("connection",))}
        kept = [f"{name}:{value}" for name, _, value in headers if name.lower() not in left]
        kept += [f"{HEADER}: {name}"] if name else []
        kept += [] if upgrade else ["Connection: close"]
        back, onward = await asyncio.open_unix_connection(str(app))
        with contextlib.closing(onward):
            onward.write("\r\n".join([first, *kept, "", ""]).encode("latin-1"))
            both = [asyncio.ensure_future(_copy(reader, onward)), asyncio.ensure_future(_copy(back, writer))]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for each in both:
                each.cancel()


def _encoded(name: str) -> str:
    return base64.b64encode(f"{name}:{PASSWORDS[name]}".encode()).decode()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(65_536):
        writer.write(part)
        await writer.drain()
