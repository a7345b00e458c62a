"""What a page does while nothing happens: it asks whether there is news, and nothing else."""

import asyncio
import json
from collections.abc import Mapping
from threading import Event

import pytest
from playwright.sync_api import Browser, expect

from coderunner.hosts.app.page.list_updates import ListUpdates
from coderunner.hosts.app.server import App
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, MARKS, Visitor, client, visitor

pytestmark = MARKS


COUNTED = """
const next = window.requestAnimationFrame;
window.frames_asked_for = 0;
window.requestAnimationFrame = (call) => {
  window.frames_asked_for += 1;
  return next.call(window, call);
};
"""

ASKED = "**/coderunner/news"


def told(somebody: Visitor, status: int) -> Mapping[str, object]:
    """What the page said of itself when it was next answered with this status."""
    with somebody.page.expect_response(
        lambda answer: answer.url.endswith("/news") and answer.status == status
    ) as found:
        pass
    said: Mapping[str, object] = json.loads(found.value.request.post_data or "")
    return said


@behaviour("app:quiet:page")
def test_a_page_on_which_nothing_happens_sends_no_event_and_draws_nothing(
    browser: Browser, address: str
) -> None:
    with visitor(browser, "about:blank") as somebody:
        somebody.context.add_init_script(COUNTED)
        somebody.come_in(address)
        somebody.open()
        somebody.run("print(10 + 5)")
        told(somebody, 204)
        sent: list[str] = []
        somebody.page.on("request", lambda request: sent.append(request.url))
        drawn = 100
        while drawn > 10:  # what Gradio has begun to count goes on for some seconds
            before = somebody.page.evaluate("window.frames_asked_for")
            told(somebody, 204)
            drawn = somebody.page.evaluate("window.frames_asked_for") - before
        assert [url for url in sent if "/gradio_api/" in url] == []


@behaviour("app:quiet:news")
def test_what_changes_elsewhere_is_asked_for_and_shown(browser: Browser, address: str, app: App) -> None:
    with visitor(browser, address) as somebody:
        somebody.ask("About pears")
        somebody.run("print(10 + 5)")
        which = str(told(somebody, 204)["c"])
        assert app.records.conversations.rename(which, "Named elsewhere")
        expect(somebody.rows.filter(has_text="Named elsewhere")).to_have_count(1)
        with client(address) as other:
            shown = told(somebody, 204)
            headers = {"X-CodeRunner-Token": app.rights.token}

            def answer(**changed: object) -> int:
                return other.post("/coderunner/news", json={**shown, **changed}, headers=headers).status_code

            assert answer() == 204
            assert [answer(**{name: "0"}) for name in ("c", "page", "status", "list", "unsaved")] == [200] * 5
            assert [answer(search="not in it"), answer(grants="0")] == [200, 200]
            assert [answer(page=1), answer(grants=[])] == [400, 400]
            assert other.post("/coderunner/news", json=shown).status_code == 403


@behaviour("app:quiet:news")
def test_a_page_whose_app_is_away_for_a_moment_hears_of_what_it_has_missed(
    browser: Browser, address: str, app: App
) -> None:
    with visitor(browser, address) as somebody:
        somebody.ask("About plums")
        which = str(told(somebody, 204)["c"])
        with somebody.page.expect_request_finished(lambda request: "/run/predict" in request.url):
            somebody.page.route(ASKED, lambda route: route.fulfill(status=502))
        somebody.page.unroute(ASKED)
        assert app.records.conversations.rename(which, "Missed")
        expect(somebody.rows.filter(has_text="Missed")).to_have_count(1)
        somebody.complaints.clear()


@behaviour("app:quiet:news")
def test_news_that_come_when_the_page_has_gone_elsewhere_change_nothing_there(
    browser: Browser, address: str, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    update, asked, go = ListUpdates.update, Event(), Event()

    async def late(self: ListUpdates, *arguments: str) -> object:
        if not asked.is_set():
            asked.set()
            await asyncio.to_thread(go.wait, BOUND)
        return await update(self, *arguments)

    with visitor(browser, address) as somebody:
        somebody.ask("About cherries")
        which = str(told(somebody, 204)["c"])
        monkeypatch.setattr(ListUpdates, "update", late)
        assert app.records.conversations.rename(which, "Left behind")
        assert asked.wait(BOUND)
        somebody.page.locator("#cr-new").click()
        expect(somebody.replies).to_have_count(0)
        with somebody.page.expect_response(lambda answer: "/run/predict" in answer.url):
            go.set()
        shown = told(somebody, 204)["c"]
        assert shown not in (which, "")
        assert somebody.page.evaluate("coderunner.shown()") == shown


@behaviour("app:quiet:page")
@pytest.mark.parametrize("packed", ["identity", "br", "gzip"])
def test_the_apps_page_begins_with_it_however_it_is_sent(address: str, packed: str) -> None:
    with client(address) as somebody:
        answer = somebody.get("/", headers={"Accept-Encoding": packed})
    assert answer.text.index("requestAnimationFrame = ") < answer.text.index("gradio_config")
