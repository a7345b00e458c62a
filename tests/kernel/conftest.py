"""Kernels and servers for the tests of this room."""

import asyncio
import threading
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from coderunner.kernel.connections.forking.templates import Templates, can_fork, hold, release
from coderunner.kernel.connections.kernel_process import environment_of
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.protocol.cell_outputs import Change
from coderunner.kernel.sessions.registry import KernelLocation, Local, Server, Session, Sessions
from coderunner.kernel.sessions.run_prelude import sources
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


@pytest.fixture(params=["local", "sandboxed", "forked", "forked and sandboxed", "server"])
def where(request: pytest.FixtureRequest) -> KernelLocation:
    """Each kind of kernel: what is promised of one is promised of all."""
    if "forked" in request.param and not can_fork():
        pytest.skip("kernels cannot be forked here")
    if "sandboxed" in request.param:
        if not available():
            pytest.skip(available().why)
        return Local(sandbox=available())
    if request.param != "server":
        return Local()
    jupyter: Jupyter = request.getfixturevalue("jupyter")
    return Server(jupyter.url, Secret(jupyter.token))


@pytest.fixture
def forked(request: pytest.FixtureRequest) -> bool:
    """Whether the kernels of this test are forked rather than started."""
    callspec = getattr(request.node, "callspec", None)
    return callspec is not None and "forked" in str(callspec.params.get("where", ""))


@pytest.fixture(scope="session")
def kept_templates() -> Iterator[Templates]:
    """What forks kernels, for all tests: to load a template takes longer than to start a kernel."""
    held = hold((), sources())
    assert held is not None
    yield held
    io_thread().call(release(held), BOUND)


@pytest.fixture
def template(kept_templates: Templates) -> None:
    """Have a template ready: one is renewed where another test has changed what it was started with."""

    async def load() -> None:
        kept_templates.prepare(environment_of("python3"))
        await asyncio.gather(*kept_templates._tasks)

    io_thread().call(load(), BOUND)
    assert kept_templates.ready


@pytest.fixture
def there(jupyter: Jupyter) -> Server:
    """A kernel on the stock server."""
    return Server(jupyter.url, Secret(jupyter.token))


@pytest.fixture
def sessions(request: pytest.FixtureRequest, tmp_path: Path, forked: bool) -> Iterator[Sessions]:
    """A registry of its own, whose kernels end with the test; sandboxed ones may use its files."""
    if forked:
        request.getfixturevalue("template")
    where = request.getfixturevalue("where") if "where" in request.fixturenames else None
    boxed = isinstance(where, Local) and where.isolated
    sandbox = KernelSandbox(Grants(write=frozenset({real(tmp_path)}))) if boxed else None
    registry = Sessions(tmp_path / "work", sandbox=sandbox, preload=() if forked else None)
    yield registry
    io_thread().call(registry.close_all(keep=False), BOUND)


@pytest.fixture
def new_session(sessions: Sessions, where: KernelLocation) -> Session:
    """A conversation of its own, with each kind of kernel."""
    return sessions.get(uuid.uuid4().hex, where)


@pytest.fixture(scope="module")
def lent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., LentKernel]]:
    """The kernel of each kind that the tests of a file use one after the other."""
    grants = Grants(write=frozenset({real(tmp_path_factory.getbasetemp())}))
    registries: list[Sessions] = []

    @cache
    def registry(boxed: bool, forked: bool) -> Sessions:
        sandbox = KernelSandbox(grants) if boxed else None
        folder = tmp_path_factory.mktemp("lent")
        registries.append(Sessions(folder, sandbox=sandbox, preload=() if forked else None))
        return registries[-1]

    @cache
    def kernel(where: KernelLocation, forked: bool) -> LentKernel:
        return LentKernel(registry(isinstance(where, Local) and where.isolated, forked), where)

    def lend(where: KernelLocation, forked: bool = False) -> LentKernel:
        return kernel(where, forked)

    yield lend
    for each in registries:
        io_thread().call(each.close_all(keep=False), BOUND)


@pytest.fixture
def session(
    request: pytest.FixtureRequest,
    lent: Callable[..., LentKernel],
    where: KernelLocation,
    forked: bool,
) -> Iterator[Session]:
    """A conversation as if it were new, with each kind of kernel."""
    if forked:
        request.getfixturevalue("template")
    with lent(where, forked).lent() as session:
        yield session
        kernel = lent(where, forked).kernel
        assert kernel is None or kernel.prepared == forked


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
