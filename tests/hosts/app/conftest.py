"""What the tests with a page share in each file: the model that says what the test wants, and the browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from coderunner.hosts.app.server import App
from coderunner.settings.settings import load
from tests.hosts.app.browsing import Seat, chromium, served
from tests.hosts.app.parrot import Parrot


@pytest.fixture(scope="module")
def parrot() -> Iterator[tuple[Parrot, str]]:
    """The model, and its address."""
    bird = Parrot()
    with served(lambda: bird) as address:
        yield bird, address


@pytest.fixture(scope="module")
def app(parrot: tuple[Parrot, str], tmp_path_factory: pytest.TempPathFactory) -> App:
    """One that runs all code, unless a file has another."""
    folder = tmp_path_factory.mktemp("data")
    chosen = {"model_url": f"{parrot[1]}/v1", "model": "parrot", "approve": "auto", "data_dir": folder}
    return App(load(chosen))


@pytest.fixture(scope="module")
def address(app: App) -> Iterator[str]:
    """Where it is served."""
    with served(app.asgi) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real one."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def seat(browser: Browser, address: str) -> Iterator[Seat]:
    """A page of the app that the file serves at its `address`."""
    one = Seat(browser, address)
    yield one
    one.close()
