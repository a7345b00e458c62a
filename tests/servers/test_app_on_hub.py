"""The app in each person's own server on a real Hub: `make test-servers` only."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, MARKS, chromium, served
from tests.hosts.app.parrot import Parrot
from tests.servers.hub_with_app import AppHub, at_app, hub_with_app, logged_in, tile
from tests.servers.process import asked
from tests.servers.real import VENVS

pytestmark = [
    *MARKS,
    pytest.mark.skipif(not VENVS, reason="needs the servers of `make test-servers`"),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppHub]:
    """A Hub with Ann and Bob."""
    with served(Parrot) as model, hub_with_app(tmp_path_factory.mktemp("hub"), f"{model}/v1") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real one."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def ann(browser: Browser, hub: AppHub) -> Iterator[Page]:
    """Ann, at her launcher."""
    with logged_in(browser, hub, "ann") as page:
        yield page


@pytest.fixture(scope="module")
def bob(browser: Browser, hub: AppHub) -> Iterator[Page]:
    """Bob, in a browser of his own."""
    with logged_in(browser, hub, "bob") as page:
        yield page


def kernels(hub: AppHub, user: str, name: str = "") -> list[str]:
    """The kernels of a person's server, as an administrator sees them."""
    token = str(asked(f"{hub.url}/hub/api/users/{user}/tokens", hub.token, "POST")["token"])
    return [each["id"] for each in asked(f"{hub.server(user, name)}/api/kernels", token)]


@behaviour("jupyter:hub:three-clicks")
def test_a_newcomer_gets_from_the_launcher_to_15_with_two_clicks(hub: AppHub, ann: Page) -> None:
    with ann.context.expect_page() as opened:
        tile(ann).click()
    page = opened.value
    page.get_by_role("button", name="What is 10 + 5?").click()
    expect(page.locator("#cr-chat .cr-out")).to_have_text("15\n")
    expect(page.locator("#cr-bottom")).to_contain_text("Python on the Jupyter server · runs automatically")
    expect(page.locator("#cr-kernel")).to_contain_text("/user/ann")
    assert page.url.startswith(f"{hub.server('ann')}/coderunner/")
    assert len(kernels(hub, "ann")) == 1
    page.close()


@behaviour("jupyter:hub:apart")
def test_two_people_see_nothing_of_each_other(hub: AppHub, ann: Page, bob: Page) -> None:
    for user in ("ann", "bob"):
        hub.start(user, "model")
    with at_app(ann.context, hub.server("ann", "model")) as hers:
        hers.ask("Hers alone\n\n```python\nsecret = 'of Ann'\nopen('hers.txt', 'w').write(secret)\n```")
        conversation = httpx.URL(hers.page.url).params["c"]
    with at_app(bob.context, hub.server("bob", "model")) as his:
        assert his.run("import os\nprint(os.path.exists('hers.txt'), 'secret' in globals())") == "False False"
        expect(his.rows.filter(has_text="Hers alone")).to_have_count(0)
        his.page.goto(f"{hub.server('bob', 'model')}/coderunner/?c={conversation}")
        expect(his.page.locator(".cr-banner", has_text="no longer exists")).to_be_visible()
        assert "of Ann" not in his.page.content()
    assert {*kernels(hub, "ann", "model")}.isdisjoint(kernels(hub, "bob", "model"))
    assert (hub.homes / "ann" / "hers.txt").read_text() == "of Ann"
    assert (hub.homes / "bob" / ".local/share/coderunner/records").is_dir()
    for path in ("", f"?c={conversation}", f"coderunner/notebook?c={conversation}", "gradio_api/info"):
        refused = bob.context.request.get(f"{hub.server('ann', 'model')}/coderunner/{path}")
        assert refused.status == 403
        assert "Hers alone" not in refused.text()


@behaviour("jupyter:hub:page")
def test_widgets_downloads_and_a_reload_work_below_the_servers_address(hub: AppHub, ann: Page) -> None:
    with at_app(ann.context, hub.server("ann")) as somebody:
        somebody.ask("Draw a wave with sliders")
        frame = somebody.blocks.last.locator("iframe").content_frame.locator("iframe").content_frame
        expect(frame.get_by_role("slider").first).to_be_visible()
        with somebody.page.expect_download() as download:
            somebody.rows.first.hover()
            somebody.rows.first.locator("[data-cr-do=save]").click()
        assert download.value.failure() is None
        somebody.open()
        expect(somebody.blocks.last.locator("iframe")).to_be_visible()
        somebody.content()


@behaviour("jupyter:hub:login")
def test_who_has_not_logged_in_at_the_hub_gets_only_the_files_without_data(hub: AppHub, ann: Page) -> None:
    place = f"{hub.server('ann')}/coderunner"
    with httpx.Client(trust_env=False, timeout=BOUND) as stranger:
        assert stranger.get(f"{place}/").status_code == 302
        assert stranger.post(f"{place}/coderunner/act", json={}).status_code in (302, 403)
        assert stranger.get(f"{place}/coderunner/public/frame.js").status_code == 200
        headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        key = {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
        assert stranger.get(f"{place}/coderunner/socket", headers=headers | key).status_code == 403
