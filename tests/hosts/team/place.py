"""The front as it really is, with a small app for each person, and somebody who asks as the proxy does."""

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from coderunner.hosts.team.reverse_proxy import SECRET_HEADER, Person, ReverseProxy
from coderunner.hosts.team.server import front
from coderunner.secret_value import Secret
from coderunner.settings.settings import load
from tests.hosts.app.browsing import BOUND, served

SECRET = "a secret of the proxy"
HEADER = "X-Forwarded-User"
SMALL = "tests.hosts.team.small_app"


@dataclass(frozen=True, slots=True)
class Place:
    """The front at an address, with the folder of all data."""

    address: str
    data: Path

    def home(self, name: str) -> Path:
        """A person's folder."""
        return self.data / "people" / Person(name).folder

    def client(self, name: str | bytes | None, **headers: str) -> httpx.Client:
        """Somebody whom the proxy names, or does not name."""
        named = [] if name is None else [(HEADER, name)]
        sent: Any = [*named, (SECRET_HEADER, SECRET), *headers.items()]
        return httpx.Client(base_url=self.address, headers=sent, trust_env=False, timeout=BOUND)

    def get(self, name: str | bytes | None, path: str = "/", **headers: str) -> httpx.Response:
        """One request of somebody."""
        with self.client(name, **headers) as client:
            return client.get(path)

    def process(self, name: str) -> int:
        """The process of somebody's app."""
        found: int = self.get(name).json()["process"]
        return found


@contextlib.contextmanager
def place(data: Path, *, resting: float = 60.0, module: str = SMALL, **settings: object) -> Iterator[Place]:
    """The front, served until the block ends."""
    chosen = load(
        {
            "data_dir": data,
            "user_header": HEADER,
            "public_url": "http://127.0.0.1",
            **settings,
        }
    )
    proxy = ReverseProxy(HEADER, Secret(SECRET))
    with (
        tempfile.TemporaryDirectory(prefix="cr-people-") as sockets,
        served(lambda: front(chosen, proxy, Path(sockets), module, resting=resting)) as address,
    ):
        yield Place(address, data)


def eventually(what: Callable[[], object]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + BOUND
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
