"""Kernels and servers for the tests of this room."""

import asyncio
import threading
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.protocol.cell_outputs import Change
from coderunner.kernel.sessions.registry import KernelLocation, Local, Server, Session, Sessions
from coderunner.outputs import Output, Result
from coderunner.sandbox.backends import available
from coderunner.sandbox.kernel_sandbox import KernelSandbox, real
from coderunner.sandbox.policy import Grants
from coderunner.secret_value import Secret
from tests.kernel.lent import LentKernel
from tests.kernel.servers import Jupyter, jupyter_server

BOUND = 30.0
"""Seconds that a test waits for something which comes at once."""


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """A stock Jupyter server with a token."""
    token = f"canary-{uuid.uuid4().hex}"
    with jupyter_server(tmp_path_factory.mktemp("jupyter"), token=token) as server:
        yield server


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """A Jupyter server below a base path, as on a Hub, and with the old WebSocket protocol only."""
    options = ("--ServerApp.base_url=/user/me/", "--ZMQChannelsWebsocketConnection.kernel_ws_protocol=")
    with jupyter_server(tmp_path_factory.mktemp("hub"), *options, token="hub-token") as server:
        yield server


@pytest.fixture(params=["local", "sandboxed", "server"])
def where(request: pytest.FixtureRequest) -> KernelLocation:
    """Each kind of kernel: what is promised of one is promised of all."""
    if request.param == "local":
        return Local()
    if request.param == "sandboxed":
        if not available():
            pytest.skip(available().why)
        return Local(sandbox=available())
    jupyter: Jupyter = request.getfixturevalue("jupyter")
    return Server(jupyter.url, Secret(jupyter.token))


@pytest.fixture
def there(jupyter: Jupyter) -> Server:
    """A kernel on the stock server."""
    return Server(jupyter.url, Secret(jupyter.token))


@pytest.fixture
def sessions(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sessions]:
    """A registry of its own, whose kernels end with the test; sandboxed ones may use its files."""
    where = request.getfixturevalue("where") if "where" in request.fixturenames else None
    boxed = isinstance(where, Local) and where.isolated
    sandbox = KernelSandbox(Grants(write=frozenset({real(tmp_path)}))) if boxed else None
    registry = Sessions(tmp_path / "work", sandbox=sandbox)
    yield registry
    io_thread().call(registry.close_all(keep=False), BOUND)


@pytest.fixture
def new_session(sessions: Sessions, where: KernelLocation) -> Session:
    """A conversation of its own, with each kind of kernel."""
    return sessions.get(uuid.uuid4().hex, where)


@pytest.fixture(scope="module")
def lent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[KernelLocation], LentKernel]]:
    """The kernel of each kind that the tests of a file use one after the other."""
    grants = Grants(write=frozenset({real(tmp_path_factory.getbasetemp())}))
    plain = Sessions(tmp_path_factory.mktemp("lent"))
    boxed = Sessions(tmp_path_factory.mktemp("lent"), sandbox=KernelSandbox(grants) if available() else None)

    @cache
    def kernel(where: KernelLocation) -> LentKernel:
        return LentKernel(boxed if isinstance(where, Local) and where.isolated else plain, where)

    yield kernel
    for registry in (plain, boxed):
        io_thread().call(registry.close_all(keep=False), BOUND)


@pytest.fixture
def session(lent: Callable[[KernelLocation], LentKernel], where: KernelLocation) -> Iterator[Session]:
    """A conversation as if it were new, with each kind of kernel."""
    with lent(where).lent() as session:
        yield session


class Screen:
    """Shows the outputs as a page would, and tells when a text appears."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []
        self.changes: list[Change] = []
        self._changed = threading.Condition()

    def __call__(self, change: Change) -> None:
        with self._changed:
            self.changes.append(change)
            self.outputs[change.index :] = (
                [change.output, *self.outputs[change.index + 1 :]] if change.output is not None else []
            )
            self._changed.notify_all()

    def wait_for(self, text: str) -> bool:
        """Wait, in this thread, until the text is to be seen."""
        with self._changed:
            return self._changed.wait_for(lambda: text in str(self.outputs), BOUND)

    async def shows(self, text: str) -> None:
        """Wait, in a loop, until the text is to be seen."""
        assert await asyncio.to_thread(self.wait_for, text)


def run(session: Session, source: str, *, deadline: float = 30.0) -> Result:
    """Run a cell and wait for its end, bounded."""
    result = session.begin(source, deadline=deadline).wait(BOUND)
    assert result is not None
    return result
