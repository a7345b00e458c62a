"""A package that code lacks, at the page: the card, its installation, and that it stays."""

from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest
from playwright.sync_api import Locator, expect

from coderunner.hosts.app.conversation.reply_writer import kernel_label
from coderunner.hosts.app.server import App
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS, Seat, Visitor, served
from tests.hosts.app.parrot import Parrot
from tests.hosts.app.test_list import identity
from tests.packages.conftest import use
from tests.packages.index import add_wheel, serving
from tests.packages.test_environments import lend

pytestmark = [*MARKS, pytest.mark.timeout(300)]
MINUTE = 60_000


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An index, and that tools use it."""
    folder = tmp_path_factory.mktemp("index")
    add_wheel(folder, "lonely")
    add_wheel(folder, "friendly", needs=("lonely",), summary="Draws <b>one</b> line.")
    with serving(folder) as address, pytest.MonkeyPatch.context() as patch:
        use("uv" if which("uv") else "pip", address, tmp_path_factory.mktemp("cache"), patch)
        yield folder


@pytest.fixture(scope="module")
def app(parrot: tuple[Parrot, str], index: Path, tmp_path_factory: pytest.TempPathFactory) -> App:
    data = tmp_path_factory.mktemp("data")
    return App(load({"model_url": f"{parrot[1]}/v1", "model": "parrot", "data_dir": str(data)}))


@pytest.fixture(scope="module")
def address(app: App) -> Iterator[str]:
    with served(app.asgi) as address:
        yield address


@pytest.fixture
def somebody(seat: Seat) -> Iterator[Visitor]:
    with seat.taken() as somebody:
        yield somebody


def card(somebody: Visitor) -> Locator:
    return somebody.blocks.last.locator(".cr-packages").last


@behaviour("app:packages:card")
def test_what_is_missing_is_installed_by_one_press_and_stays(
    somebody: Visitor, app: App, parrot: tuple[Parrot, str], index: Path, tmp_path: Path
) -> None:
    environment = lend(tmp_path / "project" / ".venv")
    somebody.run("x = 15")
    somebody.run("import friendly, lonely\nprint(x, lonely.version)")
    expect(card(somebody)).to_contain_text("This block needs friendly, which is not installed.")
    expect(card(somebody)).to_contain_text("friendly 1.0: Draws <b>one</b> line.", timeout=MINUTE)
    expect(card(somebody)).to_contain_text("With 1 more package that it needs")
    expect(card(somebody)).to_contain_text("into the folder of this chat alone.")
    told = str(parrot[0].asked[-1]["messages"][-1]["content"])
    assert "The user can install it with the button below this block." in told
    assert "pip install" not in told
    somebody.press("Install")
    again = somebody.blocks.last.locator(".cr-again")
    expect(again.locator(".cr-out")).to_have_text("15 1.0\n", timeout=MINUTE)
    expect(somebody.blocks.last.locator(".cr-packages")).to_have_count(0)
    assert somebody.run("print(friendly.version)") == "1.0"
    label = kernel_label(identity(somebody.page))
    assert [str(pin) for pin in app.sessions.packages.lock(label).pins] == ["friendly 1.0", "lonely 1.0"]

    added = somebody.page.get_by_role("link", name="2 packages added")
    with somebody.page.expect_download() as download:
        added.click()
    assert "friendly==1.0" in download.value.path().read_text()

    somebody.settings("Kernel")
    name = somebody.page.locator("#cr-kernel-name input")
    said = somebody.page.locator("#cr-kernel-status")
    name.fill(str(tmp_path / "nowhere"))
    name.press("Enter")
    expect(said).to_contain_text("There is no Python environment at")
    somebody.page.locator("#cr-kernel-alone input").check()
    name.fill(str(environment.parent))
    name.press("Enter")
    expect(said).to_contain_text("This chat uses", timeout=MINUTE)
    somebody.page.keyboard.press("Escape")
    assert somebody.run("import sys; print(sys.prefix)") == str(environment)
    assert somebody.run("import friendly; print(friendly.version)") == "1.0"
    assert app.choices.where.kernel_name == "python3"

    somebody.run("%pip install nowhere-to-be-found")
    expect(card(somebody)).to_contain_text(
        "There is no package nowhere-to-be-found on 127.0.0.1", timeout=MINUTE
    )
    somebody.press("Try again")
    bar = somebody.blocks.last.locator(".cr-again .cr-bar")
    expect(bar).to_contain_text("Not run · there is no package nowhere-to-be-found", timeout=MINUTE)
    card(somebody).get_by_role("button", name="Not now").click()
    expect(card(somebody)).to_be_hidden()
    add_wheel(index, "nowhere_to_be_found")
    somebody.open()
    card(somebody).locator(".cr-main").click()
    expect(bar).to_contain_text("Done", timeout=MINUTE)
    expect(card(somebody)).to_have_count(0)
