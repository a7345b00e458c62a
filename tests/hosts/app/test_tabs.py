"""Many tabs of the app at once, in a browser that opens six connections to a host."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from coderunner.hosts.app.server import App
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, MARKS, Visitor, client, served, visitor
from tests.hosts.app.parrot import Parrot

pytestmark = MARKS

TABS = 7


@pytest.fixture
def app(parrot: tuple[Parrot, str], tmp_path: Path) -> App:
    chosen = {"model_url": f"{parrot[1]}/v1", "model": "parrot", "approve": "auto", "data_dir": tmp_path}
    return App(load(chosen))


@pytest.fixture
def address(app: App) -> Iterator[str]:
    with served(app.asgi) as address:
        yield address


@behaviour("app:tabs")
@pytest.mark.timeout(240)  # each tab loads the page, which takes seconds on a busy machine
def test_seven_tabs_show_a_conversation_as_it_grows(browser: Browser, address: str) -> None:
    with visitor(browser, address) as somebody:
        somebody.ask("from the first")
        tabs = [somebody, *(Visitor(somebody.context, address).open() for _ in range(TABS - 1))]
        tabs[-1].ask("from the last")
        for tab in tabs:
            expect(tab.replies).to_have_count(2)
        for tab in tabs[1:]:
            tab.page.close()
        somebody.ask("from the first again")
        expect(somebody.replies).to_have_count(3)


@behaviour("app:tabs")
def test_a_page_whose_socket_is_refused_gets_its_stream_as_it_would_have(
    browser: Browser, address: str
) -> None:
    with visitor(browser, "about:blank") as somebody:
        somebody.come_in(address)
        refused: list[str] = []
        somebody.page.route_web_socket(
            "**/coderunner/stream?*", lambda socket: (refused.append(socket.url), socket.close())[1]
        )
        somebody.open()
        somebody.ask("hello")
        assert refused


@behaviour("app:tabs:stream")
def test_the_stream_of_a_page_wants_the_pages_token_and_the_browsers_cookie(app: App, address: str) -> None:
    socket = address.replace("http", "ws") + "/coderunner/stream?session_hash=guessed"
    with client(address) as page:
        cookie = "; ".join(f"{name}={value}" for name, value in page.cookies.items())
    mine = {"Cookie": cookie, "Origin": address}
    for headers, protocols in (
        (mine, ["coderunner", "guessed"]),
        (mine, ["coderunner"]),
        (mine, [app.rights.token]),
        ({"Origin": address}, ["coderunner", app.rights.token]),
        ({**mine, "Origin": "http://elsewhere.example"}, ["coderunner", app.rights.token]),
    ):
        with pytest.raises(InvalidStatus):
            connect(socket, additional_headers=headers, subprotocols=protocols, open_timeout=BOUND)  # type: ignore[arg-type]
