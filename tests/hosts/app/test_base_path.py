"""The app below a path of an address that it shares with others."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from coderunner.errors import SettingsError
from coderunner.hosts.app.server import App
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS, client, served, visitor

pytestmark = MARKS

# The app's own routes begin with this name too: the two must not be taken for each other.
PATHS = ["/coderunner", "/user/ann@example.org/my%20app"]

UPLOAD = """async (root) => {
    const chat = new URL(location).searchParams.get("c");
    const token = document.querySelector('meta[name="coderunner-token"]').content;
    const headers = {"X-CodeRunner-Token": token};
    const files = `${root}/coderunner/files?c=${chat}`;
    const put = await fetch(`${files}&path=a.csv`, {method: "PUT", body: "x,y", headers});
    const listed = await (await fetch(files, {headers})).json();
    const file = await fetch(`${root}/coderunner/file?c=${chat}&path=a.csv`);
    return [put.status, listed.files.map((each) => each.path), await file.text()];
}"""


@pytest.fixture(scope="module", params=PATHS)
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    app = App(load({"demo": True, "approve": "auto", "data_dir": home, "base_path": request.param}))
    with served(app.asgi, request.param) as address:
        yield address


@behaviour("app:base-path:whole")
def test_all_of_the_page_works_below_a_path(browser: Browser, address: str) -> None:
    with visitor(browser, address) as somebody:
        somebody.ask("What is 10 + 5?")
        expect(somebody.blocks.locator(".cr-out")).to_have_text("15\n")
        somebody.ask("Draw a wave with sliders")
        frame = somebody.blocks.last.locator("iframe").content_frame.locator("iframe").content_frame
        expect(frame.get_by_role("slider").first).to_be_visible()
        with somebody.page.expect_download() as download:
            somebody.rows.first.hover()
            somebody.rows.first.locator("[data-cr-do=save]").click()
        assert download.value.failure() is None
        root = httpx.URL(address).raw_path.decode()
        assert somebody.page.evaluate(UPLOAD, root) == [200, ["a.csv"], "x,y"]
        somebody.open()
        expect(somebody.blocks.first.locator(".cr-out")).to_have_text("15\n")


@behaviour("app:base-path:whole")
def test_the_browser_stays_logged_in_for_that_path_alone(address: str) -> None:
    with client(address) as one:
        path = httpx.URL(address).raw_path.decode()
        assert {cookie.path for cookie in one.cookies.jar} == {f"{path}/"}
        assert one.get(f"{address}/").status_code == 200


@behaviour("app:base-path:elsewhere")
def test_there_is_nothing_elsewhere_and_the_answer_says_where_it_is(address: str) -> None:
    url = httpx.URL(address)
    path = url.raw_path.decode()
    with client(address) as one:
        answer = one.get(url.copy_with(path="/"))
        assert (answer.status_code, f"CodeRunner is at {path}/" in answer.text) == (404, True)
        bare = one.get(f"{address}?a=1")
        assert (bare.status_code, bare.headers["location"]) == (307, f"{path}/?a=1")


@behaviour("app:base-path:written")
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("coderunner", "/coderunner"),
        ("/a//b/", "/a/b"),
        ("/a%40b", "/a%40b"),
        ("/", ""),
        (" /~ann/x ", "/~ann/x"),
    ],
)
def test_a_path_may_be_written_with_or_without_its_slashes(written: str, meant: str, tmp_path: Path) -> None:
    assert load({"base_path": written, "data_dir": tmp_path}).base_path == meant


@behaviour("app:base-path:written")
@pytest.mark.parametrize(
    "written", ["https://example.org/a", "/a?b", "/a b", "/../a", "/a/%2e%2E/b", "/a;b", "/a#b", "/ä"]
)
def test_what_is_no_path_is_refused(written: str) -> None:
    with pytest.raises(SettingsError, match=r"base-path is .*a path like /coderunner"):
        load({"base_path": written})
