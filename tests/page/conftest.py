"""What the tests with a browser share: the browser, kernels, and hosts that show what those give."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from coderunner.runner import Local, Sessions
from tests.hosts.app.browsing import BOUND, chromium
from tests.page.host import Host, hosted
from tests.page.stage import Stage


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real one."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def host() -> Iterator[Host]:
    """A page with elements in it."""
    with hosted() as host:
        yield host


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    """Kernels of their own."""
    registry = Sessions(tmp_path_factory.mktemp("widgets"))
    yield registry
    registry.io_thread.call(registry.close_all(), BOUND)


@pytest.fixture
def stage(request: pytest.FixtureRequest, sessions: Sessions, host: Host) -> Stage:
    """A host, and a kernel of the test's own."""
    return Stage(host, sessions.get(request.node.name, Local()))
