"""A real PostgreSQL server for tests: started where its programs are found, in a folder of its own."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypedDict
from urllib.parse import quote, urlencode

import pytest

if TYPE_CHECKING:
    from psycopg import Connection

STRANGERS = ("postgres", "nobody")
"""Users as whom a server runs that root starts: it refuses to run as root."""
OWNER = "owner"
GUARDED = "guarded"
"""A user whom the server asks for a password; the owner it does not."""
WAIT = 30.0
"""Seconds for what takes less than one."""
OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "autovacuum": "off",
    "max_connections": "60",
    "shared_buffers": "16MB",
    "log_min_messages": "log",
}
READY = b"database system is ready to accept connections"
RULES = f"local all {GUARDED} scram-sha-256\nlocal all all trust\n"


class AsUser(TypedDict, total=False):
    """As whom a program runs, for `subprocess`."""

    user: int
    group: int
    extra_groups: list[int]


@cache
def programs() -> Path | None:
    """The folder of the server's programs; None where it is not installed."""
    named = shutil.which("postgres")
    found = [Path(named).resolve().parent] if named else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: -float(each.parent.name))
    return next((each for each in found if (each / "initdb").exists()), None)


@cache
def stranger() -> AsUser | None:
    """As whom a server runs; None where nobody can be found."""
    if sys.platform == "win32":
        return None
    if os.geteuid() != 0:
        return {}
    import pwd

    for name in STRANGERS:
        with suppress(KeyError):
            who = pwd.getpwnam(name)
            return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
    return None


def why_not() -> str:
    """Why no server can be started here; empty where one can."""
    if programs() is None:
        return "PostgreSQL's server is not installed"
    if find_spec("psycopg") is None:
        return "psycopg is not installed"
    return "" if stranger() is not None else "there is no user as whom PostgreSQL would run"


class Server:
    """One server on a Unix socket; it listens on no network."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path is short
        self._data = self.folder / "data"
        self._names = count()
        self._process: subprocess.Popen[bytes] | None = None
        self._as = stranger() or {}
        if self._as:
            os.chown(self.folder, self._as["user"], self._as["group"])
        made = "-D", self._data, "-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
        subprocess.run([self._program("initdb"), *made], check=True, capture_output=True, **self._how)
        (self._data / "pg_hba.conf").write_text(RULES, encoding="utf-8")

    def _program(self, name: str) -> Path:
        found = programs()
        assert found is not None, why_not()
        return found / name

    @property
    def _how(self) -> dict[str, Any]:
        return {**self._as, "cwd": self.folder, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}}

    def start(self, **options: str) -> None:
        """Start it and wait until it takes connections; `options` of its own come last."""
        given = [each for pair in (OPTIONS | options).items() for each in ("-c", "=".join(pair))]
        self._process = subprocess.Popen(
            [self._program("postgres"), "-D", self._data, "-k", self.folder, *given],
            stderr=subprocess.PIPE,
            preexec_fn=end_with_us,
            **self._how,
        )
        told = self._process.stderr
        assert told is not None
        log = until(READY, told)
        assert READY in b"".join(log[-1:]), b"".join(log).decode(errors="replace")
        # Whoever writes where nobody reads waits in the end.
        self._reader = threading.Thread(target=deque, args=(told, 0), daemon=True)
        self._reader.start()

    def encrypt(self) -> Path:
        """Have it use TLS, once it is started so; gives its certificate, made for localhost."""
        pair = self._data / "server.crt", self._data / "server.key"
        made = "-x509", "-days", "2", "-nodes", "-subj", "/CN=localhost", "-out", pair[0], "-keyout", pair[1]
        subprocess.run(["openssl", "req", "-new", *made], check=True, capture_output=True, **self._how)
        (self._data / "pg_hba.conf").write_text(f"{RULES}hostssl all all 127.0.0.1/32 trust\n")
        return pair[0]

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT ends connections and writes all, SIGQUIT is as if it crashed."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(WAIT)
            self._reader.join(WAIT)
            assert self._process.stderr is not None
            self._process.stderr.close()
        self._process = None

    def remove(self) -> None:
        """Stop it and remove its folder."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder)

    def url(self, database: str = "postgres", user: str = OWNER, password: str = "", **query: str) -> str:
        """The address of a database of its."""
        who = f"{quote(user)}:{quote(password, safe='')}" if password else quote(user)
        return f"postgresql://{who}@/{database}?{urlencode({'host': str(self.folder), **query})}"

    def schema(self, **query: str) -> str:
        """The address of a schema of its own, which is to one test what a database is, and made sooner."""
        name = f"test_{next(self._names)}"
        self.execute(f"CREATE SCHEMA {name}")
        return self.url(options=f"-csearch_path={name}", **query)

    def database(self) -> str:
        """The name of a new database."""
        name = f"test_{next(self._names)}"
        self.execute(f"CREATE DATABASE {name}")
        return name

    @contextmanager
    def transaction(self, database: str = "postgres") -> Iterator["Connection[tuple[Any, ...]]"]:
        """A transaction of somebody else's, which is undone unless it is committed."""
        import psycopg

        with closing(psycopg.connect(self.url(database))) as connection:
            yield connection

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Do what the owner of all may; gives the rows."""
        with self.transaction(database) as connection:
            connection.autocommit = True
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


def until(word: bytes, lines: IO[bytes]) -> list[bytes]:
    """The lines up to the first one that has `word`, or the last one."""
    read: list[bytes] = []
    for line in lines:
        read.append(line)
        if word in line:
            break
    return read


def end_with_us() -> None:
    """Have the kernel stop the server when we are killed (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)  # PR_SET_PDEATHSIG


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server for all tests of this process; whoever stops one takes `own_postgresql`."""
    yield from _started()


@pytest.fixture
def own_postgresql() -> Iterator[Server]:
    """A server for one test."""
    yield from _started()


def _started() -> Iterator[Server]:
    if reason := why_not():
        pytest.skip(reason)
    try:
        server = Server()
    except (OSError, subprocess.CalledProcessError) as failure:  # in some containers there is but one user
        told = getattr(failure, "stderr", None) or str(failure).encode()
        pytest.skip(f"PostgreSQL cannot be set up here: {told.decode(errors='replace').strip()}")
    try:
        server.start()
        yield server
    finally:
        server.remove()
